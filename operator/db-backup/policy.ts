import type { DbBackup } from '../kinds.ts';
import { toNames, toNats } from '../network-policies/plan.ts';
import type { NetworkPolicy } from '../runtime/builtin.ts';
import type { Settings } from '../settings.ts';
import { backupLabels } from './pod.ts';

const portOf = (endpoint: string | undefined): number => {
  const url = new URL(endpoint ?? 'https://s3.amazonaws.com');
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'http:' ? 80 : 443;
};

/**
 * What the pods of a backup may do on the network: ask for names, reach NATS, and the port of S3 anywhere, since the
 * addresses behind its name are known to no policy. Nobody reaches them. Null when policies are off.
 */
export const backupPolicy = ({ metadata, spec }: DbBackup, settings: Settings): NetworkPolicy | null => {
  if (settings.networkPolicies === null) return null;
  const { name, namespace = '' } = metadata;
  const { s3 } = spec.destination;
  const toS3 = s3 === undefined ? [] : [{ ports: [{ protocol: 'TCP', port: portOf(s3.endpoint) }] }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `quartet-backup-${name}`, namespace, labels: backupLabels(name) },
    spec: {
      podSelector: { matchLabels: backupLabels(name) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [...toS3, toNames, toNats(settings)],
    },
  };
};
