import { servicePorts } from '../../contract/pod-env.ts';
import { ports } from './config.ts';

const gateways = [
  { name: 'content', role: 'edge-router', nodePort: ports.content },
  { name: 'search', role: 'search-gateway', nodePort: ports.search },
  { name: 'chat', role: 'chat-gateway', nodePort: ports.chat },
  { name: 'database', role: 'db-gateway', nodePort: ports.database },
] as const;

/**
 * Services beside the operator's own, which give each gateway a fixed port of 127.0.0.1: kind forwards it to the NodePort
 * of the same number. Pure.
 */
export const hostServices = () => ({
  apiVersion: 'v1',
  kind: 'List',
  items: gateways.map(({ name, role, nodePort }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `${name}-on-host`,
      namespace: 'default',
      labels: { 'app.kubernetes.io/part-of': 'quartet-kind' },
    },
    spec: {
      type: 'NodePort',
      selector: { 'app.kubernetes.io/name': `quartet-${role}` },
      ports: [{ name: 'service', port: servicePorts[role], nodePort }],
    },
  })),
});
