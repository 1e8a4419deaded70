import type { Operation } from './operation.ts';
import { labels, managedBy, natsSecret } from './pod-template.ts';
import { secrets } from './runtime/builtin.ts';
import type { Writer } from './runtime/writer.ts';

/** The Secret from which the pods of a namespace learn the address of NATS. No request when it is as it should be. */
export const ensureNatsSecret = async (namespace: string, operation: Operation, writer: Writer): Promise<void> => {
  await writer.apply(secrets, {
    desired: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: natsSecret,
        namespace,
        labels: { [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' },
      },
      type: 'Opaque',
      data: { url: Buffer.from(operation.settings.nats.url).toString('base64') },
    },
  });
};
