import { z } from 'zod';
import { immutable, rules } from './cel.ts';
import { count } from './conditions.ts';
import { duration } from './duration.ts';
import type { Kind } from './kind.ts';
import { logicalName, replicas, replicaSetStatus, storage } from './replica-set.ts';

const bound = (description: string) => z.string().max(256).default('').describe(description);

const range = z
  .object({
    start: bound('First key of the range, inclusive. Empty: from the lowest key.'),
    end: bound('First key after the range, exclusive. Empty: to the highest key.'),
  })
  .prefault({})
  .describe('Keys of this shard, compared byte by byte.')
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

export const dbShardSpec = z.object({
  database: logicalName('database').describe(
    'Database that this shard belongs to. The ranges of its shards cover all keys.',
  ),
  range,
  replicas: replicas(3),
  storage: storage('Retain'),
  failover,
});
export type DbShardSpec = z.output<typeof dbShardSpec>;

export const dbShardStatus = z.object({
  ...replicaSetStatus,
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
  status: dbShardStatus,
  scale: { selector: true },
  columns: [
    { name: 'Database', type: 'string', jsonPath: '.spec.database' },
    { name: 'From', type: 'string', jsonPath: '.spec.range.start' },
    { name: 'To', type: 'string', jsonPath: '.spec.range.end' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Replicas', type: 'integer', jsonPath: '.status.readyReplicas' },
    { name: 'Primary', type: 'string', jsonPath: '.status.primary' },
    { name: 'Term', type: 'integer', jsonPath: '.status.term' },
    { name: 'Keys', type: 'integer', jsonPath: '.status.keys', priority: 1 },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Kind;
