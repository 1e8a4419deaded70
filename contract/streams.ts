import type { ReplicaSetId } from './names.ts';
import { directoryBucket, directoryLivePrefix, liveSubject, logStream, logSubject } from './subjects.ts';

/** Largest log entry in bytes. nats-server must allow it: `max_payload` of at least {@link maxPayloadBytes}. */
export const maxEntryBytes = 4 * 1024 * 1024;
/** What `max_payload` of the NATS servers has to be: an entry and its headers. */
export const maxPayloadBytes = 8 * 1024 * 1024;

/**
 * Configuration of a replica set's log. Created once by the operator and never again for the same resource: a stream
 * that vanished and came back empty would be a shorter history, so members halt on it.
 * - discard new: a full log refuses writes, it never forgets entries that a replica may need
 * - deny delete: nobody removes single entries; trimming purges a prefix
 * - no age limit, no per-message dedup window that anything relies on
 */
export const logStreamConfig = (set: ReplicaSetId, replicas: number) => ({
  name: logStream(set),
  subjects: [logSubject(set)],
  retention: 'limits' as const,
  storage: 'file' as const,
  discard: 'new' as const,
  deny_delete: true,
  allow_direct: true,
  max_age: 0,
  max_bytes: -1,
  max_msgs: -1,
  max_msg_size: maxEntryBytes + 64 * 1024,
  num_replicas: replicas,
  republish: { src: logSubject(set), dest: liveSubject(set) },
});

/** Options of the directory's KV bucket. It republishes changes, so that pods follow it without a consumer each. */
export const directoryBucketOptions = (replicas: number) => ({
  history: 1,
  replicas,
  republish: { src: `$KV.${directoryBucket}.>`, dest: `${directoryLivePrefix}.>` },
});
