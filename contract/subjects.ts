import { crc32 } from 'node:zlib';
import type { ReplicaSetId, Role } from './names.ts';

/**
 * Every NATS subject, stream and bucket that operator and pods share.
 * Kubernetes names hold no `_`, so `_` joins them without ambiguity where dots are not allowed.
 */

/** The KV bucket with the routing tables: written by the operator, read by pods. Keys: {@link directoryKey}. */
export const directoryBucket = 'quartet-directory';

/** Where the bucket republishes each stored change of a key: {@link directoryKey} behind this prefix. */
export const directoryLivePrefix = 'quartet.directory';

export type DirectoryKind = 'edge' | 'search' | 'chat' | 'db';

/** Directory key of one resource. Watch `db.<namespace>.*` to follow all of a kind. */
export const directoryKey = (kind: DirectoryKind, namespace: string, name: string): string =>
  `${kind}.${namespace}.${name}`;

/** Liveness, load and position of one pod, every 250 ms. Payload: `Heartbeat`. `resource` is `_` for gateways. */
export const heartbeatSubject = (namespace: string, role: Role, resource: string, pod: string): string =>
  `quartet.${namespace}.heartbeat.${role}.${resource}.${pod}`;

/** What the operator subscribes to. */
export const allHeartbeats = 'quartet.*.heartbeat.>';

/** Slow figures about resources (room counts, …), at most every 2 s and only on change. Payload: `ChatReport`. */
export const chatReportSubject = (namespace: string, pod: string): string => `quartet.${namespace}.report.chat.${pod}`;
export const allChatReports = 'quartet.*.report.chat.*';

/** Commands from the operator to one pod (request and reply). Payload: `ControlRequest`, `ControlReply`. */
export const controlSubject = (namespace: string, pod: string): string => `quartet.${namespace}.control.${pod}`;

/** Snapshot transfer from one replica to another (request and reply, one chunk a request). */
export const snapshotSubject = (set: Pick<ReplicaSetId, 'namespace' | 'kind'>, pod: string): string =>
  `quartet.${set.namespace}.snapshot.${set.kind}.${pod}`;

/** Requests of gateways to one member of a replica set; what they carry belongs to the service. */
export const memberSubject = (set: ReplicaSetId, pod: string): string =>
  `quartet.${set.namespace}.${set.kind}.${set.name}.${pod}`;

/** Where a member of a database shard answers what has changed (request and reply). */
export const memberFeedSubject = (set: ReplicaSetId, pod: string): string => `${memberSubject(set, pod)}.changes`;

/** Where the primary of a shard that is split answers the new shard's (request and reply). */
export const memberSplitSubject = (set: ReplicaSetId, pod: string): string => `${memberSubject(set, pod)}.split`;

/** A channel of PUBLISH and SUBSCRIBE, all databases of a namespace together; `token` stands for the channel's name. */
export const channelSubject = (namespace: string, token: string): string => `quartet.${namespace}.pubsub.${token}`;

/** The database API (request and reply), shared by gateways: `verb` is `get`, `range`, `txn` or `changes`. */
export const databaseSubject = (namespace: string, database: string, verb?: string): string =>
  `quartet.${namespace}.database.${database}${verb === undefined ? '' : `.${verb}`}`;

/** The stream that is the truth of a replica set. */
export const logStream = (set: ReplicaSetId): string => `QUARTET_${set.namespace}_${set.kind}_${set.name}`;
/** The one subject in that stream. */
export const logSubject = (set: ReplicaSetId): string => `quartet.${set.namespace}.log.${set.kind}.${set.name}`;
/** Where the stream republishes each committed entry, with its sequence in the `Nats-Sequence` header. */
export const liveSubject = (set: ReplicaSetId): string => `quartet.${set.namespace}.live.${set.kind}.${set.name}`;

/** Chat: messages of all rooms of a namespace are spread over this many streams by a hash of the room's name. */
export const chatPartitions = 4;
/** The partition that holds a room's messages: fixed by its name. */
export const chatPartition = (room: string): number => crc32(room) % chatPartitions;
export const chatStream = (namespace: string, partition: number): string => `QUARTET_${namespace}_chat_${partition}`;
export const chatSubject = (namespace: string, partition: number, room: string): string =>
  `quartet.${namespace}.chat.${partition}.${room}`;
/** Where chat streams republish a stored message. */
export const chatLiveSubject = (namespace: string, room: string): string => `quartet.${namespace}.chatlive.${room}`;
/** KV bucket with members, users and sessions of a namespace's rooms. Member keys: `member.<room>.<user, encoded>`. */
export const chatBucket = (namespace: string): string => `QUARTET_${namespace}_chat`;

/** Edge cache purges: every edge answers, the caller counts the acknowledgements. */
export const purgeSubject = (namespace: string): string => `quartet.${namespace}.purge`;
