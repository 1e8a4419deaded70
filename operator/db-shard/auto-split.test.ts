import { describe, expect, it, test } from 'vitest';
import type { DbShard } from '../kinds.ts';
import { aboveForMs, maxShards, planAutoSplit, quietMs, type AutoSplitFacts } from './auto-split.ts';
import type { ShardView } from './shard-view.ts';
import { shardView } from './testing.ts';

const shard = (bytes: number, above?: string): DbShard =>
  ({
    metadata: { name: 'app' },
    spec: { database: 'app', ...(above !== undefined && { split: { above } }) },
    status: { bytes },
  }) as DbShard;

const own = shardView('app');

const facts = (over: Partial<AutoSplitFacts> = {}): AutoSplitFacts => ({
  shard: shard(3_000_000, '2M'),
  own,
  all: [own],
  aboveForMs,
  quietForMs: quietMs,
  ...over,
});

const half: ShardView = { ...own, name: 'half', splitFrom: { shard: 'app', at: null }, range: null };

describe('a shard that is larger than its resource allows', () => {
  it('is split', () => {
    expect(planAutoSplit(facts())).toEqual({ type: 'split', note: 'its 3000000 bytes are more than split.above, 2M' });
  });

  test.each<[string, Partial<AutoSplitFacts>]>([
    ['that says nothing about it', { shard: shard(3_000_000) }],
    ['that is not larger', { shard: shard(2_000_000, '2M') }],
    ['that is being deleted', { own: { ...own, deleting: true } }],
    ['that is being split', { all: [own, half] }],
    [
      'of a database in which another shard is being split',
      { all: [own, { ...half, splitFrom: { shard: 'x', at: null } }] },
    ],
    ['whose store is not swept up after a split', { all: [{ ...own, strays: true }] }],
    ['that is being merged', { all: [{ ...own, takesFrom: 'next' }] }],
    ['that has just given keys away', { all: [{ ...own, handed: { to: 'half', start: 'm', end: '' } }] }],
  ])('is not split when it is one %s', (_, over) => {
    expect(planAutoSplit(facts(over))).toEqual({ type: 'no' });
  });

  it('is not split for a peak, nor soon after the last split of the database, and is looked at again in time', () => {
    expect(planAutoSplit(facts({ aboveForMs: 20_000 }))).toEqual({ type: 'no', retryMs: 40_000 });
    expect(planAutoSplit(facts({ quietForMs: 25_000 }))).toEqual({ type: 'no', retryMs: 35_000 });
  });

  it('is split beside one that was merged away, and is still there', () => {
    const gone = { ...own, name: 'gone', range: null, emptied: { at: 'm', epoch: 3 }, givesTo: 'app', wasMerged: true };
    expect(planAutoSplit(facts({ all: [own, gone] }))).toMatchObject({ type: 'split' });
  });

  it('is left to a person when the database has many shards', () => {
    const all = Array.from({ length: maxShards }, (_, i) => ({ ...own, name: `s${i}` }));
    expect(planAutoSplit(facts({ all }))).toMatchObject({ type: 'full' });
    const elsewhere = all.map((one) => ({ ...one, database: 'other' }));
    expect(planAutoSplit(facts({ all: elsewhere }))).toMatchObject({ type: 'split' });
  });
});
