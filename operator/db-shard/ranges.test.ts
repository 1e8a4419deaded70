import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRange, type RangeClaim } from './ranges.ts';

const claim = (name: string, start: string, end: string, created = '2026-01-01T00:00:00Z'): RangeClaim => ({
  name,
  database: 'app',
  start,
  end,
  created,
});

const low = claim('low', '', 'm');
const high = claim('high', 'm', '');

describe('ranges of a database', () => {
  it('that cover all keys once are fine', () => {
    for (const own of [low, high]) expect(judgeRange(own, [low, high])).toEqual({ problems: [], conflict: null });
  });

  it('with a gap show on the shards beside it, and both go on serving', () => {
    const late = claim('late', 'p', '');
    for (const own of [low, late]) {
      expect(judgeRange(own, [low, late])).toEqual({ problems: ['no shard holds ["m", "p")'], conflict: null });
    }
  });

  it('that do not reach the ends show that', () => {
    expect(judgeRange(claim('x', 'b', 'c'), []).problems).toEqual([
      'no shard holds ["", "b")',
      'no shard holds ["c", end)',
    ]);
  });

  it('that overlap show on both; the older one serves', () => {
    const newer = claim('newer', 'k', '', '2026-02-01T00:00:00Z');
    expect(judgeRange(low, [low, newer])).toEqual({ problems: ['overlaps with newer ["k", end)'], conflict: null });
    expect(judgeRange(newer, [low, newer])).toEqual({
      problems: ['overlaps with low ["", "m")'],
      conflict: 'its range overlaps with the older shard low, which serves it',
    });
  });

  it('of another database do not matter', () => {
    expect(judgeRange(low, [low, high, { ...low, name: 'other', database: 'else' }]).problems).toEqual([]);
  });

  it('are compared byte by byte, not by UTF-16 code units', () => {
    const below = claim('below', '', '\u{FF61}');
    const above = claim('above', '\u{FF61}', '\u{10000}');
    expect(judgeRange(below, [below, above, claim('rest', '\u{10000}', '')]).problems).toEqual([]);
    expect(judgeRange(above, [below, above, claim('rest', '\u{10000}', '')]).problems).toEqual([]);
  });

  it('never leave two shards that both serve one key', () => {
    const bound = fc.constantFrom('', 'b', 'd', 'f', 'h');
    const claims = fc
      .array(fc.tuple(bound, bound, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 })
      .map((list) =>
        list
          .filter(([start, end]) => end === '' || start < end)
          .map(([start, end, day], index) => claim(`s${index}`, start, end, `2026-01-0${day + 1}T00:00:00Z`)),
      );
    fc.assert(
      fc.property(claims, fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'), (all, key) => {
        const serving = all.filter(
          (own) => judgeRange(own, all).conflict === null && key >= own.start && (own.end === '' || key < own.end),
        );
        expect(serving.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
