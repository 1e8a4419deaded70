import { natsUsers } from '../contract/permissions.ts';
import type { Operation } from './operation.ts';
import { labels, managedBy, natsPasswordKey, natsSecret } from './pod-template.ts';
import { secrets, type Secret } from './runtime/builtin.ts';
import type { ApplyOutcome, Writer } from './runtime/writer.ts';
import type { Settings } from './settings.ts';

/** Pods take the password of their own service from it, and no other. The operator's own password stays at home. */
const dataOf = ({ url, ca, passwords }: Settings['nats']): Record<string, string> => {
  const data: Record<string, string> = { url };
  if (ca !== undefined) data['ca'] = ca;
  for (const user of natsUsers) {
    if (passwords !== undefined && user !== 'operator') data[natsPasswordKey(user)] = passwords[user];
  }
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
};

/** The Secret from which the pods of a namespace learn the address of NATS and the password of their service. No request when it is as it should be. Says what the apply came to. */
export const ensureNatsSecret = async (
  namespace: string,
  operation: Operation,
  writer: Writer,
): Promise<ApplyOutcome<Secret>> =>
  writer.apply(secrets, {
    desired: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: natsSecret,
        namespace,
        labels: { [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' },
      },
      type: 'Opaque',
      data: dataOf(operation.settings.nats),
    },
  });
