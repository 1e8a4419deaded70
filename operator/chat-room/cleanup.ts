import type { JetStreamManager } from '@nats-io/jetstream';
import { chatBucket, chatPartitions, chatStream, chatSubject, chatPartition } from '../../contract/subjects.ts';
import { OperatorError } from '../operator-error.ts';

const ignoreMissing = (error: unknown): void => {
  if (/not found/i.test(String(error))) return;
  throw new OperatorError('messaging-refused', `cannot remove data of a room: ${String(error)}`, error);
};

/** Removes a room's messages and memberships. Fine when they are gone already. */
export const removeRoom = async (manager: JetStreamManager, namespace: string, room: string): Promise<void> => {
  const partition = chatPartition(room);
  await manager.streams
    .purge(chatStream(namespace, partition), { filter: chatSubject(namespace, partition, room) })
    .catch(ignoreMissing);
  const bucket = chatBucket(namespace);
  await manager.streams.purge(`KV_${bucket}`, { filter: `$KV.${bucket}.member.${room}.>` }).catch(ignoreMissing);
};

/** The last room of a namespace is gone: so go the streams and the bucket that rooms shared. */
export const removeChat = async (manager: JetStreamManager, namespace: string): Promise<void> => {
  for (let partition = 0; partition < chatPartitions; partition++) {
    await manager.streams.delete(chatStream(namespace, partition)).catch(ignoreMissing);
  }
  await manager.streams.delete(`KV_${chatBucket(namespace)}`).catch(ignoreMissing);
};
