import { describe, expect, it } from 'vitest';
import { judgeOrdinal, type OrdinalClaim } from './ordinals.ts';

const claim = (name: string, ordinal: number, of = 2, created = '2026-01-01T00:00:00Z'): OrdinalClaim => ({
  name,
  index: 'products',
  ordinal,
  of,
  created,
});

const p0 = claim('p0', 0);
const p1 = claim('p1', 1);
const later = '2026-02-01T00:00:00Z';

describe('ordinals of an index', () => {
  it('that are all there once are fine', () => {
    for (const own of [p0, p1]) expect(judgeOrdinal(own, [p0, p1])).toEqual({ problems: [], conflict: null });
  });

  it('that are missing are named', () => {
    expect(judgeOrdinal(p0, [p0])).toEqual({ problems: ['ordinals without a shard: 1'], conflict: null });
  });

  it('that two shards claim belong to the older one; both say so', () => {
    const twin = claim('twin', 0, 2, later);
    expect(judgeOrdinal(p0, [p0, p1, twin])).toEqual({ problems: ['twin has ordinal 0 too'], conflict: null });
    expect(judgeOrdinal(twin, [p0, p1, twin]).conflict).toBe('the older shard p0 has ordinal 0 of index products');
  });

  it('of different totals: the older shard is right', () => {
    const stranger = claim('stranger', 2, 3, later);
    expect(judgeOrdinal(stranger, [p0, p1, stranger]).conflict).toBe(
      'the older shard p0 says that index products has 2 shards',
    );
    expect(judgeOrdinal(p0, [p0, p1, stranger])).toEqual({
      problems: ['stranger says the index has 3 shards, this one says 2'],
      conflict: null,
    });
  });

  it('of another index do not matter', () => {
    expect(judgeOrdinal(p0, [p0, p1, { ...p0, name: 'x', index: 'people' }]).problems).toEqual([]);
  });
});
