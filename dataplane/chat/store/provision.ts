import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { chatBucket, chatLiveSubject, chatPartitions, chatStream, chatSubject } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';

/** Within this time a message with an id that is stored already is not stored again (ns). */
export const duplicateWindowMs = 120_000;
/** A stored message: content, metadata and headers fit well below. */
const maxMessageBytes = 128 * 1024;

/** Where changes of members are republished, so that gateways follow them without a consumer. */
export const memberLivePrefix = (namespace: string): string => `quartet.${namespace}.chatmember`;

const partitionConfig = (namespace: string, partition: number, replicas: number) => ({
  name: chatStream(namespace, partition),
  subjects: [chatSubject(namespace, partition, '*')],
  storage: 'file' as const,
  retention: 'limits' as const,
  discard: 'old' as const,
  allow_direct: true,
  max_msg_size: maxMessageBytes,
  num_replicas: replicas,
  duplicate_window: duplicateWindowMs * 1_000_000,
  republish: {
    src: chatSubject(namespace, partition, '*'),
    dest: chatLiveSubject(namespace, '{{wildcard(1)}}'),
  },
});

const infoOrNull = async (manager: JetStreamManager, stream: string): Promise<StreamInfo | null> => {
  try {
    return await manager.streams.info(stream);
  } catch (error) {
    if ((error as { code?: number }).code === 404 || (error as Error).name === 'StreamNotFoundError') return null;
    throw error;
  }
};

/** Makes the partition stream when it is missing; two gateways may do it at once. */
export const ensurePartition = async (pod: Pod, manager: JetStreamManager, partition: number): Promise<StreamInfo> => {
  const config = partitionConfig(pod.env.QUARTET_NAMESPACE, partition, pod.env.QUARTET_NATS_REPLICAS);
  const found = await infoOrNull(manager, config.name);
  if (found !== null) return found;
  pod.log.info({ stream: config.name }, 'making a partition of the chat');
  return await manager.streams.add(config);
};

/** Makes the bucket of members and users when it is missing. */
export const ensureBucket = (pod: Pod): Promise<KV> => {
  const bucket = chatBucket(pod.env.QUARTET_NAMESPACE);
  return new Kvm(pod.jetstream).create(bucket, {
    history: 1,
    replicas: pod.env.QUARTET_NATS_REPLICAS,
    republish: {
      src: `$KV.${bucket}.member.*.*`,
      dest: `${memberLivePrefix(pod.env.QUARTET_NAMESPACE)}.{{wildcard(1)}}.{{wildcard(2)}}`,
    },
  });
};

/** Makes all streams and the bucket, and returns the bucket; tries for as long as NATS does not let it. */
export const provision = async (pod: Pod, manager: JetStreamManager): Promise<KV> => {
  for (;;) {
    try {
      const bucket = await ensureBucket(pod);
      for (let partition = 0; partition < chatPartitions; partition++) await ensurePartition(pod, manager, partition);
      return bucket;
    } catch (error) {
      pod.log.warn({ err: error }, 'the streams of the chat cannot be made now; trying again');
      await sleep(500 + Math.random() * 500);
    }
  }
};
