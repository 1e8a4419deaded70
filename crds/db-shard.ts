import { z } from 'zod';
import { immutable, rules } from './cel.ts';
import { count } from './conditions.ts';
import { duration } from './duration.ts';
import type { Kind } from './kind.ts';
import { quantity } from './quantity.ts';
import { logicalName, replicas, replicaSetStatus, storage } from './replica-set.ts';

const bound = (description: string) => z.string().max(256).default('').describe(description);

const shardName = z
  .string()
  .max(40)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

const range = z
  .object({
    start: bound('First key of the range, inclusive. Empty: from the lowest key.'),
    end: bound('First key after the range, exclusive. Empty: to the highest key.'),
  })
  .prefault({})
  .describe('Keys that this shard begins with, compared byte by byte. status.range tells those that it has now.')
  .meta(
    rules(immutable('range'), {
      rule: "self.end == '' || self.start < self.end",
      message: 'range.start must be lower than range.end',
    }),
  );

const failover = z
  .object({
    suspectAfter: duration('failover.suspectAfter', '500ms', '1m')
      .default('1500ms')
      .describe('Silence of the primary after which another replica is elected.'),
    replaceAfter: duration('failover.replaceAfter', '1s', '24h')
      .default('10s')
      .describe(
        'How long the node of a replica may be lost before the replica is rebuilt on another node. A replica that is silent on a node which Kubernetes calls ready gets three times as long.',
      ),
  })
  .prefault({})
  .describe('When to give up on a replica.');

const splitFrom = z
  .object({
    shard: shardName.describe('DBShard of the same database whose upper keys become those of this one.'),
    at: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('First key that this shard takes over. Left out: the key in the middle.'),
  })
  .optional()
  .describe('Makes this shard by splitting another one online. It then has no range in its spec: the log decides it.');

const split = z
  .object({
    above: quantity('split.above', '1Mi', '64Ti').describe(
      'Bytes of the store (status.bytes) above which the shard is split at its middle, when they stay above it for a minute.',
    ),
  })
  .optional()
  .describe('When the operator splits this shard by itself. Left out: never.');

const mergeInto = shardName
  .optional()
  .describe(
    'Gives all keys of this shard, online, to the DBShard whose range ends where this one begins. Taken back before they are handed over it ends that; when it is over, this shard can be deleted.',
  );

export const dbShardSpec = z
  .object({
    database: logicalName('database').describe(
      'Database that this shard belongs to. The ranges of its shards cover all keys.',
    ),
    range,
    splitFrom,
    mergeInto,
    replicas: replicas(3),
    storage: storage('Retain'),
    failover,
    split,
  })
  .meta(
    rules(
      {
        rule: "!has(self.splitFrom) || self.range.start == '' && self.range.end == ''",
        message: 'range must be left out beside splitFrom: the shard that is split decides it',
        fieldPath: '.range',
      },
      {
        rule: 'has(self.splitFrom) == has(oldSelf.splitFrom) && (!has(self.splitFrom) || self.splitFrom == oldSelf.splitFrom)',
        message: 'splitFrom is immutable; create another resource instead',
        fieldPath: '.splitFrom',
      },
      {
        rule: "!has(self.mergeInto) || has(self.splitFrom) || self.range.start != ''",
        message:
          'mergeInto is for shards with a lower neighbour, and this one begins at the lowest key: set it on the upper one of two',
        fieldPath: '.mergeInto',
      },
      {
        rule: '!has(self.mergeInto) || !has(oldSelf.mergeInto) || self.mergeInto == oldSelf.mergeInto',
        message:
          'mergeInto cannot change from one shard to another: take it back, and set it anew when status.merge is gone',
        fieldPath: '.mergeInto',
      },
    ),
  );
export type DbShardSpec = z.output<typeof dbShardSpec>;

/**
 * How far a split is, on both shards:
 * - Waiting: replicas start, or something is in the way
 * - Copying: the new shard copies all keys of the other one
 * - Following: it follows the other's log, and asks for its keys when it is close behind
 * - HandedOver: the other one has given the keys away for good; nobody serves them until the new shard has the rest
 * - Open: the new shard serves them; the other one is told
 */
export const splitPhases = ['Waiting', 'Copying', 'Following', 'HandedOver', 'Open'] as const;
export type SplitPhase = (typeof splitPhases)[number];

/** Bounds that a shard found by itself may be as long as a key. */
const keys = {
  start: z.string().max(4096).describe('First key, inclusive. Empty: from the lowest key.'),
  end: z.string().max(4096).describe('First key after the range. Empty: to the highest key.'),
};

const splitStatus = z.object({
  from: z.string().max(253).optional().describe('Shard that keys are taken over from.'),
  to: z.string().max(253).optional().describe('Shard that takes keys over.'),
  phase: z
    .enum(splitPhases)
    .describe(
      'Waiting, Copying, Following: it can be given up by deleting the new shard. HandedOver, Open: it only goes on.',
    ),
  keys: z.object(keys).optional().describe('Keys that change hands, once that is decided.'),
});

/**
 * How far a merge is, on both shards:
 * - Waiting, Copying, Following: as of a split; the lower shard takes the keys of the upper one, and serves its own
 * - GivingUp: it was taken back, and the lower shard has not said yet that it has given up
 * - HandedOver: the upper one has given its keys away for good; nobody serves them until the lower one has the rest
 * - Open: the lower one serves them; the upper one is told
 * - Merged: it is over; on the upper one alone, which has no keys any more
 */
export const mergePhases = ['Waiting', 'Copying', 'Following', 'GivingUp', 'HandedOver', 'Open', 'Merged'] as const;
export type MergePhase = (typeof mergePhases)[number];

const mergeStatus = z.object({
  from: z.string().max(253).optional().describe('Upper shard, whose keys this one takes over.'),
  to: z.string().max(253).optional().describe('Lower shard, which takes the keys of this one over.'),
  phase: z
    .enum(mergePhases)
    .describe(
      'Waiting, Copying, Following: it can be given up by taking mergeInto back. HandedOver, Open: it only goes on.',
    ),
  keys: z.object(keys).optional().describe('Keys that change hands: all of the upper shard.'),
});

export const dbShardStatus = z.object({
  ...replicaSetStatus,
  range: z
    .object({ ...keys, epoch: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('Grows when keys change hands.') })
    .optional()
    .describe(
      'Keys that this shard serves, as its log says. Absent: it has not taken any over yet. Ends where it starts: it gave all away in a merge.',
    ),
  merge: mergeStatus.optional().describe('A merge that this shard takes part in.'),
  split: splitStatus.optional().describe('A split that this shard takes part in.'),
  keys: count('Keys in this shard, as of the last change of this status.'),
  bytes: count('Bytes of the store.'),
});
export type DbShardStatus = z.output<typeof dbShardStatus>;

export const dbShard = {
  kind: 'DBShard',
  plural: 'dbshards',
  singular: 'dbshard',
  shortNames: ['dbs'],
  description: 'A range of keys of a replicated database.',
  spec: dbShardSpec,
  rules: [
    {
      rule: '!has(self.spec.splitFrom) || self.spec.splitFrom.shard != self.metadata.name',
      message: 'splitFrom.shard is this shard itself: name the shard that is to be split',
    },
    {
      rule: '!has(self.spec.mergeInto) || self.spec.mergeInto != self.metadata.name',
      message: 'mergeInto is this shard itself: name the shard whose range ends where this one begins',
    },
  ],
  status: dbShardStatus,
  scale: { selector: true },
  columns: [
    { name: 'Database', type: 'string', jsonPath: '.spec.database' },
    { name: 'From', type: 'string', jsonPath: '.status.range.start' },
    { name: 'To', type: 'string', jsonPath: '.status.range.end' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Replicas', type: 'integer', jsonPath: '.status.readyReplicas' },
    { name: 'Primary', type: 'string', jsonPath: '.status.primary' },
    { name: 'Term', type: 'integer', jsonPath: '.status.term' },
    { name: 'Split', type: 'string', jsonPath: '.status.split.phase' },
    { name: 'Merge', type: 'string', jsonPath: '.status.merge.phase' },
    { name: 'Keys', type: 'integer', jsonPath: '.status.keys', priority: 1 },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Kind;
