import { z } from 'zod';
import { kubernetesName, resourceName } from './names.ts';

/**
 * The directory: one JSON document per resource in the bucket `quartet-directory`, written by the operator when it
 * changes and watched by pods. It is a hint for routing: the log and the heartbeats of members outrank it.
 */

/** The log of a replica set. `created` is the stream's creation time: another value means another history. */
export const logReference = z.object({ stream: z.string(), created: z.string() });

export const memberEntry = z.object({ pod: kubernetesName, node: z.string(), zone: z.string().default('') });
export type MemberEntry = z.infer<typeof memberEntry>;

const replicaSetEntry = z.object({
  namespace: kubernetesName,
  name: resourceName,
  /** Null until the operator made the log. */
  log: logReference.nullable(),
  members: z.array(memberEntry),
  primary: kubernetesName.nullable(),
  term: z.number().int().nonnegative(),
});

export const dbShardEntry = replicaSetEntry.extend({
  kind: z.literal('db'),
  database: z.string(),
  /** First key, inclusive; '' = from the lowest. As the shard's log says; as the resource does until that is known. */
  start: z.string(),
  /** First key after the range; '' = to the highest. */
  end: z.string(),
  /** Of the range: grows whenever keys change hands. */
  epoch: z.number().int().nonnegative().default(0),
  /** False: it holds no key yet, because it has not taken them over; `start` and `end` mean nothing then. */
  serves: z.boolean().default(true),
  /** Set on a shard that takes over the upper keys of another one: those from `at` on; null: the upper half. */
  splitFrom: z.object({ shard: kubernetesName, at: z.string().nullable() }).nullable().default(null),
  /** Set on a shard that takes over all keys of its upper neighbour, beside its own. Taken back before the hand-over: it gives up. */
  mergeFrom: z.object({ shard: kubernetesName }).nullable().default(null),
  /** Set when the range overlaps another shard of the database: gateways refuse keys of the range and say why. */
  conflict: z.string().nullable(),
});
export type DbShardEntry = z.infer<typeof dbShardEntry>;

/** Of a shard whose keys never changed hands. */
export const unsplit = {
  epoch: 0,
  serves: true,
  splitFrom: null,
  mergeFrom: null,
} as const satisfies Partial<DbShardEntry>;

export const searchShardEntry = replicaSetEntry.extend({
  kind: z.literal('search'),
  index: z.string(),
  ordinal: z.number().int().nonnegative(),
  /** Number of shards of the index. A document belongs to ordinal crc32(id) mod of. */
  of: z.number().int().positive(),
  /** Default analyzer of text fields. */
  analyzer: z.enum(['english', 'plain']),
  conflict: z.string().nullable(),
});
export type SearchShardEntry = z.infer<typeof searchShardEntry>;

export const chatRoomEntry = z.object({
  kind: z.literal('chat'),
  namespace: kubernetesName,
  name: resourceName,
  displayName: z.string(),
  type: z.enum(['public', 'private', 'direct']),
  maxMembers: z.number().int().positive(),
  retention: z.object({ maxAgeSeconds: z.number().int().positive(), maxMessages: z.number().int().positive() }),
  fileUpload: z.boolean(),
  moderation: z.enum(['off', 'flag', 'mask', 'reject']),
  /** Being deleted: gateways close subscriptions and accept no message. */
  closing: z.boolean(),
});
export type ChatRoomEntry = z.infer<typeof chatRoomEntry>;

export const cachePolicy = z.object({
  /** 'image', 'video', 'html', 'css', 'javascript', 'other'. */
  contentType: z.string(),
  ttlSeconds: z.number().int().nonnegative(),
  maxObjectBytes: z.number().int().positive(),
  /** 1..10; a tenth of it is the affinity term of the router's score. */
  priority: z.number().int().min(1).max(10),
});
export type CachePolicy = z.infer<typeof cachePolicy>;

export const originEntry = z.object({
  /** Host headers that this origin answers; `*` = any other. */
  hosts: z.array(z.string()).min(1),
  /** http://host:port, without a path. */
  url: z.string(),
});

export const edgeNodeEntry = z.object({
  kind: z.literal('edge'),
  namespace: kubernetesName,
  name: resourceName,
  location: z.object({
    continent: z.string().default(''),
    country: z.string(),
    region: z.string(),
    city: z.string(),
    timeZone: z.string().default(''),
  }),
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  capacity: z.object({
    bandwidthMbit: z.number().positive(),
    storageBytes: z.number().positive(),
    connections: z.number().int().positive(),
  }),
  cache: z.object({
    memoryBytes: z.number().int().positive(),
    /** Apply a policy's TTL to responses on which the origin is silent. Off: RFC 9111 only. */
    defaultTtl: z.boolean(),
    policies: z.array(cachePolicy),
  }),
  origins: z.array(originEntry),
  draining: z.boolean(),
  /** Where the router reaches the edge's pods: `pod` matches heartbeats. */
  endpoints: z.array(z.object({ pod: kubernetesName, url: z.string() })),
});
export type EdgeNodeEntry = z.infer<typeof edgeNodeEntry>;

/** The entry type per directory kind. */
export const directoryEntries = {
  db: dbShardEntry,
  search: searchShardEntry,
  chat: chatRoomEntry,
  edge: edgeNodeEntry,
} as const;
export type DirectoryEntries = {
  db: DbShardEntry;
  search: SearchShardEntry;
  chat: ChatRoomEntry;
  edge: EdgeNodeEntry;
};
