import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRange, type RangeClaim } from './ranges.ts';

const claim = (name: string, start: string, end: string, created = '2026-01-01T00:00:00Z'): RangeClaim => ({
  name,
  database: 'app',
  start,
  end,
  epoch: 0,
  created,
  from: null,
  into: null,
  handed: null,
});

const clean = { problems: [], moving: [], conflict: null };

const low = claim('low', '', 'm');
const high = claim('high', 'm', '');

describe('ranges of a database', () => {
  it('that cover all keys once are fine', () => {
    for (const own of [low, high]) expect(judgeRange(own, [low, high])).toEqual(clean);
  });

  it('with a gap show on the shards beside it, and both go on serving', () => {
    const late = claim('late', 'p', '');
    for (const own of [low, late]) {
      expect(judgeRange(own, [low, late])).toEqual({ ...clean, problems: ['no shard holds ["m", "p")'] });
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
    expect(judgeRange(low, [low, newer])).toEqual({ ...clean, problems: ['overlaps with newer ["k", end)'] });
    expect(judgeRange(newer, [low, newer])).toEqual({
      ...clean,
      problems: ['overlaps with low ["", "m")'],
      conflict: 'its range overlaps with the older shard low, which serves it',
    });
  });

  it('that overlap, one of which took keys from others since: that one serves, though it is newer', () => {
    const half = { ...claim('half', 'k', '', '2026-02-01T00:00:00Z'), epoch: 3, from: 'gone' };
    expect(judgeRange(half, [low, half]).conflict).toBeNull();
    expect(judgeRange(low, [low, half]).conflict).toBe('its range overlaps with shard half, which serves it');
  });

  it('of which one took keys from the other do not conflict while the news of it is late', () => {
    const whole = claim('whole', '', '');
    const half = { ...claim('half', 'k', '', '2026-02-01T00:00:00Z'), epoch: 1, from: 'whole' };
    for (const own of [whole, half]) expect(judgeRange(own, [whole, half])).toEqual(clean);
  });

  it('that are on their way are no gap, and both sides say so', () => {
    const giver = { ...claim('giver', '', 'g'), epoch: 1, handed: { to: 'half', start: 'g', end: 'm' } };
    const moving = ['["g", "m") is on its way from giver to half'];
    for (const own of [giver, high]) expect(judgeRange(own, [giver, high])).toEqual({ ...clean, moving });
    const far = { ...giver, end: 'c', handed: { to: 'half', start: 'e', end: 'm' } };
    expect(judgeRange(far, [far, high]).problems).toEqual(['no shard holds ["c", "e")']);
  });

  it('of two neighbours of which one takes the other over do not conflict while the news of it is late', () => {
    const lower = { ...claim('lower', '', ''), epoch: 3 };
    const upper = { ...claim('upper', 'm', ''), epoch: 1, into: 'lower' };
    for (const own of [lower, upper]) expect(judgeRange(own, [lower, upper])).toEqual(clean);
    const stranger = { ...upper, into: null };
    expect(judgeRange(stranger, [lower, stranger]).conflict).toMatch(/overlaps with shard lower/);
  });

  it('of which one has given all of its keys away are no gap, and it overlaps with nobody', () => {
    const gone = { ...claim('gone', 'm', 'm'), epoch: 3, handed: { to: 'low', start: 'm', end: '' } };
    const moving = ['["m", end) is on its way from gone to low'];
    for (const own of [low, gone]) expect(judgeRange(own, [low, gone])).toEqual({ ...clean, moving });
    const whole = { ...claim('low', '', ''), epoch: 3 };
    expect(judgeRange(whole, [whole, { ...gone, handed: null }])).toEqual(clean);
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

  const bound = fc.constantFrom('', 'b', 'd', 'f', 'h');
  const anyClaims = fc
    .array(fc.tuple(bound, bound, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map((list) =>
      list
        .filter(([start, end]) => end === '' || start < end)
        .map(([start, end, day, epoch], index) => ({
          ...claim(`s${index}`, start, end, `2026-01-0${day + 1}T00:00:00Z`),
          epoch,
        })),
    );

  it('never leave two shards that both serve one key', () => {
    fc.assert(
      fc.property(anyClaims, fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'), (all, key) => {
        const serving = all.filter(
          (own) => judgeRange(own, all).conflict === null && key >= own.start && (own.end === '' || key < own.end),
        );
        expect(serving.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('that overlap never silence all: of the highest epoch the oldest serves', () => {
    fc.assert(
      fc.property(anyClaims, (all) => {
        const first = [...all].sort(
          (a, b) =>
            b.epoch - a.epoch || (a.created < b.created ? -1 : a.created > b.created ? 1 : a.name < b.name ? -1 : 1),
        )[0];
        if (first !== undefined) expect(judgeRange(first, all).conflict).toBeNull();
      }),
    );
  });
});
