import { Kvm } from '@nats-io/kv';
import type { DirectoryEntries } from '../../contract/directory.ts';
import type { Role } from '../../contract/names.ts';
import { directoryBucketOptions } from '../../contract/streams.ts';
import { directoryBucket, directoryKey, type DirectoryKind } from '../../contract/subjects.ts';
import { parsePodEnv, startPod } from './start-pod.ts';
import type { Pod } from './pod.ts';

/** A pod for integration tests, in this process: namespace `test`, loopback, a free admin port, quiet logs. */
export const testPod = (
  natsUrl: string,
  role: Role,
  environment: Readonly<Record<string, string>> = {},
): Promise<Pod> =>
  startPod(
    role,
    parsePodEnv({
      QUARTET_NAMESPACE: 'test',
      QUARTET_POD: `${role}-test`,
      QUARTET_POD_IP: '127.0.0.1',
      QUARTET_NODE: 'node-test',
      QUARTET_NATS_URL: natsUrl,
      QUARTET_ADMIN_PORT: '0',
      QUARTET_LOG_LEVEL: 'fatal',
      ...environment,
    }),
  );

/** Publishes a directory entry as the operator would; makes the bucket when it is missing. */
export const putDirectory = async <K extends DirectoryKind>(
  pod: Pod,
  kind: K,
  entry: DirectoryEntries[K],
): Promise<void> => {
  const bucket = await new Kvm(pod.jetstream).create(directoryBucket, directoryBucketOptions(1));
  await bucket.put(directoryKey(kind, entry.namespace, entry.name), JSON.stringify(entry));
};

/** Removes a directory entry. */
export const removeDirectory = async (pod: Pod, kind: DirectoryKind, name: string): Promise<void> => {
  const bucket = await new Kvm(pod.jetstream).open(directoryBucket);
  await bucket.delete(directoryKey(kind, pod.env.QUARTET_NAMESPACE, name));
};
