import { z } from 'zod';
import { immutable, rules } from './cel.ts';
import { count } from './conditions.ts';
import type { Kind } from './kind.ts';
import { logicalName, replicas, replicaSetStatus, storage } from './replica-set.ts';

export const searchShardSpec = z
  .object({
    index: logicalName('index').describe('Index that this shard belongs to.'),
    ordinal: z
      .int()
      .min(0)
      .max(1023)
      .describe('Place of this shard in the index, from 0. It holds documents whose crc32(id) mod `of` is this number.')
      .meta(rules(immutable('ordinal'))),
    of: z
      .int()
      .min(1)
      .max(1024)
      .describe('Number of shards of the index; the same on all of them.')
      .meta(rules(immutable('of'))),
    replicas: replicas(2),
    storage: storage('Delete'),
    analysis: z
      .object({
        analyzer: z
          .enum(['english', 'plain'])
          .default('english')
          .describe('How text is cut into terms: with English stemming and stop words, or as it is in lower case.'),
      })
      .prefault({})
      .describe('Analysis of text fields.')
      .meta(rules(immutable('analysis'))),
  })
  .meta(rules({ rule: 'self.ordinal < self.of', message: 'ordinal must be lower than of', fieldPath: '.ordinal' }));
export type SearchShardSpec = z.output<typeof searchShardSpec>;

export const searchShardStatus = z.object({
  ...replicaSetStatus,
  documents: count('Documents in this shard, as of the last change of this status.'),
  bytes: count('Bytes of the store.'),
});
export type SearchShardStatus = z.output<typeof searchShardStatus>;

export const searchShard = {
  kind: 'SearchShard',
  plural: 'searchshards',
  singular: 'searchshard',
  shortNames: ['ss'],
  description: 'One of the shards of a full-text index.',
  spec: searchShardSpec,
  status: searchShardStatus,
  scale: { selector: true },
  columns: [
    { name: 'Index', type: 'string', jsonPath: '.spec.index' },
    { name: 'Ordinal', type: 'integer', jsonPath: '.spec.ordinal' },
    { name: 'Of', type: 'integer', jsonPath: '.spec.of' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Replicas', type: 'integer', jsonPath: '.status.readyReplicas' },
    { name: 'Primary', type: 'string', jsonPath: '.status.primary' },
    { name: 'Term', type: 'integer', jsonPath: '.status.term' },
    { name: 'Documents', type: 'integer', jsonPath: '.status.documents', priority: 1 },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Kind;
