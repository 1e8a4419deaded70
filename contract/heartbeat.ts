import { z } from 'zod';
import { kubernetesName, role } from './names.ts';

/** Time between two heartbeats of a pod. */
export const heartbeatIntervalMs = 250;
/** Silence after which a pod is suspected to be dead, unless the resource says otherwise. */
export const suspectAfterMs = 1500;

/**
 * What a replica does at the moment.
 * - starting: opening its store, learning about the log
 * - rebuilding: fetching a snapshot from a peer
 * - following: applies the log
 * - promoting: was asked to lead; its TERM entry is not acknowledged yet
 * - primary: owns the term; accepts writes
 * - halted: refuses to serve because it cannot prove its history; `reason` says why
 */
export const replicaState = z.enum(['starting', 'rebuilding', 'following', 'promoting', 'primary', 'halted']);
export type ReplicaState = z.infer<typeof replicaState>;

/** A rebuild from a peer's snapshot. A node carries out one at a time; the others wait. */
export const rebuildReport = z.object({
  stage: z.enum(['waiting', 'copying']),
  /** Bytes that came so far. */
  bytes: z.number().int().nonnegative(),
  /** On average since it began. */
  bytesPerSecond: z.number().int().nonnegative(),
});
export type RebuildReport = z.infer<typeof rebuildReport>;

/** The keys that a database shard serves, as its log says: it outranks the directory. Bounds are text (UTF-8). */
export const rangeReport = z.object({
  /** First key, inclusive; '' = from the lowest. A range that ends where it starts, which is not '', holds no key. */
  start: z.string(),
  /** First key after the range; '' = to the highest. */
  end: z.string(),
  /** Grows whenever keys change hands. */
  epoch: z.number().int().nonnegative(),
  /** While this shard takes over keys of another one: how far it is, and what is in its way. */
  intake: z
    .object({
      from: kubernetesName,
      phase: z.enum(['waiting', 'snapshot', 'log', 'open']),
      /** All keys of its upper neighbour, beside its own, which it serves meanwhile; else it is a new shard. */
      merge: z.boolean().optional(),
      problem: z.string().max(500).optional(),
    })
    .optional(),
  /** Transactions over several shards that this one takes part in, or may be asked about: while there are any it is needed. */
  transactions: z.number().int().nonnegative().optional(),
  /** Keys that were given away and are not surely taken yet, and to whom. */
  handed: z.object({ to: kubernetesName, start: z.string(), end: z.string() }).optional(),
});
export type RangeReport = z.infer<typeof rangeReport>;

export const replicaReport = z.object({
  state: replicaState,
  /** Highest term seen in the log. */
  term: z.number().int().nonnegative(),
  /** Sequence of the last log entry in the local store. */
  applied: z.number().int().nonnegative(),
  /** Last log sequence known to this replica; `tail - applied` is its lag. */
  tail: z.number().int().nonnegative(),
  /** Why it is halted, or what it waits for. */
  reason: z.string().max(500).optional(),
  /** While it is rebuilt. */
  rebuild: rebuildReport.optional(),
  /** Of a database shard, once it knows. */
  range: rangeReport.optional(),
  /** Figures for status: keys, documents, bytes, …. */
  figures: z.record(z.string(), z.number()).default({}),
});
export type ReplicaReport = z.infer<typeof replicaReport>;

/**
 * Live load of an edge, used by the router's score.
 * Rates cover the last few seconds.
 */
export const edgeLoad = z.object({
  requestsPerSecond: z.number().nonnegative(),
  mbitPerSecond: z.number().nonnegative(),
  connections: z.number().int().nonnegative(),
  /** Share of requests that the cache answered, 0..1. */
  hitRate: z.number().min(0).max(1),
  storedBytes: z.number().nonnegative(),
});
export type EdgeLoad = z.infer<typeof edgeLoad>;

export const heartbeat = z.object({
  pod: kubernetesName,
  role,
  node: z.string(),
  /** The custom resource that the pod belongs to; null for gateways, which serve a whole namespace. */
  resource: z.string().nullable(),
  /** Differs for every start of the process: tells a restart from a pause. */
  incarnation: z.string(),
  /** Wall clock of the pod, milliseconds. For people; nothing decides by it. */
  at: z.number(),
  replica: replicaReport.optional(),
  edge: edgeLoad.optional(),
  /**
   * Any other load figures, by name. Members of replica sets tell `requestsPerSecond`, which they carry out, and
   * `writesPerSecond`, which they apply from their log, over about ten seconds.
   */
  load: z.record(z.string(), z.number()).default({}),
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** Counts of the rooms that one chat gateway serves. */
export const chatReport = z.object({
  pod: kubernetesName,
  rooms: z.record(
    z.string(),
    z.object({
      /** Users connected to this gateway and subscribed to the room. */
      online: z.number().int().nonnegative(),
      /** Members of the room, over all gateways. */
      members: z.number().int().nonnegative(),
      /** Messages that the room holds now. */
      messages: z.number().int().nonnegative(),
    }),
  ),
});
export type ChatReport = z.infer<typeof chatReport>;
