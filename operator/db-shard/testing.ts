import type { ShardView } from './shard-view.ts';

/** A shard of database `app` with all keys, about which nothing is to be told. */
export const shardView = (name: string, over: Partial<ShardView> = {}): ShardView => ({
  name,
  database: 'app',
  created: '2026-01-01T00:00:00Z',
  splitFrom: null,
  mergeInto: null,
  givesTo: null,
  wasMerged: false,
  takesFrom: null,
  hasGivenUp: false,
  waitsFor: null,
  transactions: null,
  deleting: false,
  wasHeld: false,
  mayDeleteKeys: false,
  rows: null,
  strays: false,
  range: { start: '', end: '', epoch: 0 },
  emptied: null,
  intake: null,
  merging: null,
  handed: null,
  ...over,
});
