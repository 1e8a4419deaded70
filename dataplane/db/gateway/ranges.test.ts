import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { isEmptyRange } from '../../../contract/key-range.ts';
import type { RangeReport } from '../../../contract/heartbeat.ts';
import type { ReceivedBeat } from '../../fabric/heartbeats.ts';
import { endOfPrefix, maxEpoch, overlap } from '../store/key-range.ts';
import { historiesOf, shardOf } from '../testing/range-histories.ts';
import { handedOn, Ranges, type RangePart } from './ranges.ts';
import { handedClaim, newestReport, ownClaim, type ShardView } from './shard-view.ts';

/** As the directory alone says. */
const rangesOf = (...shards: DbShardEntry[]): Ranges =>
  new Ranges(shards.map((each) => ({ shard: each, report: null })));

const found = (ranges: Ranges, key: string): string => {
  try {
    return ranges.find(key).name;
  } catch (error) {
    return (error as Error).message;
  }
};

test('a key belongs to the range that holds it: start inclusive, end exclusive', () => {
  const ranges = rangesOf(shardOf('b', 'm', ''), shardOf('a', '', 'm'));
  expect(['', 'a', 'lzzz', 'm', 'z', '\xff'].map((key) => found(ranges, key))).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
  expect(ranges.shards.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('bounds compare by their UTF-8 bytes', () => {
  const ranges = rangesOf(shardOf('a', '', 'é'), shardOf('b', 'é', ''));
  const key = (text: string): string => Buffer.from(text).toString('latin1');
  expect(['z', 'è', 'é', '日'].map((text) => found(ranges, key(text)))).toEqual(['a', 'a', 'b', 'b']);
});

test('keys in a gap, in an overlap and in a conflict are refused with the reason', () => {
  const ranges = rangesOf(shardOf('a', '', 'g'), shardOf('b', 'f', 'm'), shardOf('c', 'p', '', 'overlaps c2'));
  expect(found(ranges, 'fa')).toBe('the ranges of shards a and b overlap at this key; it is not served');
  expect(found(ranges, 'n')).toBe('no shard of the database covers this key');
  expect(found(ranges, 'q')).toBe('the range of shard c is in conflict: overlaps c2');
  expect([found(ranges, 'e'), found(ranges, 'h')]).toEqual(['a', 'b']);
});

test('a database without shards serves nothing', () => {
  expect(found(new Ranges([]), 'a')).toBe('no shard of the database covers this key');
});

test('any ranges: a key is served by exactly the one shard that holds it', () => {
  const bound = fc.constantFrom('', 'a', 'b', 'c', 'd');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(bound, bound), { maxLength: 4 }),
      fc.constantFrom('', 'a', 'aa', 'b', 'cz', 'd', 'e'),
      (bounds, key) => {
        const shards = bounds.map(([start, end], i) => shardOf(`s${i}`, start, end));
        const holders = shards.filter(({ start, end }) => start <= key && (end === '' || key < end));
        const name = found(rangesOf(...shards), key);
        if (holders.length === 1) expect(name).toBe(holders[0]!.name);
        else expect(name).toMatch(holders.length === 0 ? /^no shard/ : /overlap/);
      },
    ),
  );
});

type Range = Partial<RangeReport> & { start: string; end: string; epoch: number };

/** A shard as the directory has it, and as its members have said since. */
const view = (entry: DbShardEntry, report: Range | null = null): ShardView => ({ shard: entry, report });
const source = shardOf('s', '', '');
const kept = { ...source, end: 'm', epoch: 1 };
const taker: DbShardEntry = { ...shardOf('t', '', ''), serves: false, splitFrom: { shard: 's', at: 'm' } };
const taken: DbShardEntry = { ...taker, start: 'm', epoch: 1, serves: true };
const handed = { to: 't', start: 'm', end: '' };
const before = { start: '', end: '', epoch: 0 };
const after = { start: '', end: 'm', epoch: 1 };
const empty = { start: 'm', end: 'm', epoch: 1 };
const open = { start: 'm', end: '', epoch: 1 };

test.each([
  ['the new shard waits', [view(source, before), view(taker)], ['s', 's']],
  ['it copies', [view(source, before), view(taker, empty)], ['s', 's']],
  ['keys are handed over', [view(source, { ...after, handed }), view(taker, empty)], ['s', 't']],
  ['… and the new shard was not heard', [view(source, { ...after, handed }), view(taker)], ['s', 't']],
  ['… and is not in the directory yet: they wait at the old one', [view(source, { ...after, handed })], ['s', 's']],
  ['… and the directory knows of that', [view(kept, { ...after, handed }), view(taker, empty)], ['s', 't']],
  ['… and no member was heard', [view(kept), view(taker)], ['s', 't']],
  ['the new shard is open, and the old one was not heard since', [view(source, before), view(taker, open)], ['s', 't']],
  ['both say so', [view(source, after), view(taker, open)], ['s', 't']],
  ['the old one is done, the new one was not heard', [view(source, after), view(taker)], ['s', 't']],
  ['the old one is done, the new one is not known', [view(source, after)], ['s', 's']],
  ['the directory knows all', [view(kept), view(taken)], ['s', 't']],
  ['… and members say what was', [view(kept, before), view(taken, empty)], ['s', 't']],
])('%s', (_name, views, owners) => {
  expect(['a', 'z'].map((key) => found(new Ranges(views), key))).toEqual(owners);
});

const low: DbShardEntry = { ...shardOf('low', '', 'm'), mergeFrom: { shard: 'up' } };
const up = shardOf('up', 'm', '');
const upServes = { start: 'm', end: '', epoch: 0 };
const begun = { start: '', end: 'm', epoch: 1 };
const gave = { start: 'm', end: 'm', epoch: 2 };
const onTheirWay = { ...gave, handed: { to: 'low', start: 'm', end: '' } };
const whole = { start: '', end: '', epoch: 2 };

test.each([
  ['it has not begun', [view(low, { ...begun, epoch: 0 }), view(up, upServes)], ['low', 'up']],
  ['it copies', [view(low, begun), view(up, upServes)], ['low', 'up']],
  ['keys are handed over', [view(low, begun), view(up, onTheirWay)], ['low', 'low']],
  ['… and the lower one was not heard', [view(low), view(up, onTheirWay)], ['low', 'low']],
  [
    'the lower one is open, and the upper one was not heard since',
    [view(low, whole), view(up, upServes)],
    ['low', 'low'],
  ],
  ['both say so', [view(low, whole), view(up, gave)], ['low', 'low']],
  ['the upper one is done, the lower one was not heard since', [view(low, begun), view(up, gave)], ['low', 'low']],
  [
    '… and the directory knows when it began',
    [view({ ...low, epoch: 1 }, begun), view({ ...up, end: 'm', epoch: 2 }, gave)],
    ['low', 'low'],
  ],
  ['the upper one is gone', [view(low, whole)], ['low', 'low']],
  ['… and nobody was heard', [view({ ...low, end: '', epoch: 2, mergeFrom: null })], ['low', 'low']],
  [
    'the upper one was a new half of the lower one: they wait at either',
    [view(low, begun), view({ ...taken, name: 'up', splitFrom: { shard: 'low', at: 'm' } }, gave)],
    ['low', 'up'],
  ],
  ['it was taken back', [view({ ...low, mergeFrom: null }, begun), view(up, { ...upServes, epoch: 2 })], ['low', 'up']],
])('merge: %s', (_name, views, owners) => {
  expect(['a', 'z'].map((key) => found(new Ranges(views), key))).toEqual(owners);
});

test('who asks for all keys of a shard asks in the epoch in which it has them, or in none', () => {
  const epochs = (...views: ShardView[]): number[] => new Ranges(views).parts.map(({ epoch }) => epoch);
  expect(epochs(view(low, begun), view(up, upServes))).toEqual([1, 0]);
  // Below 'm' it serves already what it will only have beside the rest in the next epoch.
  expect(epochs(view(low, begun), view(up, onTheirWay))).toEqual([1, 2]);
  expect(new Ranges([view(low, begun), view(up, onTheirWay)]).epochOf(low)).toBe(2);
  expect(epochs(view(low, whole), view(up, gave))).toEqual([2]);
  expect(epochs(view(low, begun), view(up, gave))).toEqual([1, maxEpoch + 1]);
  expect(epochs(view(source, { ...after, handed }))).toEqual([1, maxEpoch + 1]);
});

test('what is read as a whole is refused where some of it is not served', () => {
  const ranges = rangesOf(shardOf('a', '', 'g'), shardOf('b', 'f', 'm'), shardOf('c', 'p', ''));
  expect(() => ranges.served('a', 'h')).toThrow('the ranges of shards a and b overlap at this key; it is not served');
  expect(ranges.served('h', '').map(({ shard }) => shard.name)).toEqual(['b', 'c']);
});

test('where two claim keys in the same epoch neither serves them, whoever says so', () => {
  const ranges = new Ranges([view(source, before), view(shardOf('t', 'm', ''), { start: 'm', end: '', epoch: 0 })]);
  expect(found(ranges, 'z')).toMatch(/^the ranges of shards s and t overlap/);
  expect(ranges.withPrefix('z').map(({ name }) => name)).toEqual(['s', 't']);
});

test('of the members of a shard the one with the highest epoch is believed, then the one that saw the most of its log', () => {
  const says = (epoch: number, applied: number, end: string): ReceivedBeat =>
    ({ beat: { replica: { applied, range: { start: '', end, epoch } } } }) as ReceivedBeat;
  const beats = new Map([
    ['m0', says(1, 50, 'old')],
    ['m1', says(2, 10, 'x')],
    ['m2', says(2, 11, 'newest')],
    ['elsewhere', says(3, 99, 'foreign')],
  ]);
  const members = ['m0', 'm1', 'm2', 'silent'].map((pod) => ({ pod, node: '', zone: '' }));
  expect(newestReport({ ...source, members }, beats)?.end).toBe('newest');
  expect(newestReport(source, beats)).toBeNull();
});

test('any splits and merges, any mixture of old and new views: a key has one shard, or one that it waits for, never an older than is known', () => {
  const step = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 9 }), fc.boolean());
  const age = fc.nat({ max: 40 });
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(age, age, fc.boolean()), { minLength: 7, maxLength: 7 }),
      fc.constantFrom('a', 'b', 'cc', 'e', 'gg', 'j', 'k', 'z'),
      (steps, ages, key) => {
        const histories = historiesOf(steps);
        // The directory holds a new shard before anything can be known of its split.
        const firsts = [...histories.values()].map((moments) => moments.findIndex(({ entry }) => entry !== null));
        const known = [...histories.values()].map((moments, i) => Math.max(0, moments.length - 1 - ages[i]![0]));
        const newest = Math.max(...known);
        const views = [...histories.values()].flatMap((moments, i) => {
          const [, reportAge, heard] = ages[i]!;
          const at = firsts[i]! <= newest ? Math.max(firsts[i]!, known[i]!) : known[i]!;
          const { entry } = moments[at]!;
          const report = heard ? moments[Math.max(0, moments.length - 1 - reportAge)]!.report : null;
          return entry ? [view(entry, report)] : [];
        });
        const ranges = new Ranges(views);
        const name = found(ranges, key);
        expect(views.map(({ shard: each }) => each.name)).toContain(name);
        // Whoever is known to have served the key in the highest epoch has it, or has given it to the one that is asked.
        const claims = views.flatMap((each) => {
          const claim = ownClaim(each);
          return claim && claim.start <= key && (claim.end === '' || key < claim.end) ? [claim] : [];
        });
        const highest = Math.max(-1, ...claims.map(({ epoch }) => epoch));
        const given = views.flatMap((each) => {
          const claim = handedClaim(each, new Map(views.map((other) => [other.shard.name, other])));
          return claim && claim.shard.name === name && claim.start <= key ? [claim.epoch] : [];
        });
        const own = claims.find(({ shard: each }) => each.name === name)?.epoch ?? Infinity;
        expect(Math.max(own, ...given)).toBeGreaterThanOrEqual(highest);
        // Nobody who answers for a part in its epoch lacks some of it.
        for (const { shard, start, end, epoch } of ranges.parts) {
          const reports = (histories.get(shard.name) ?? []).flatMap(({ report }) => (report ? [report] : []));
          for (const each of reports.filter((report) => report.epoch === epoch && !isEmptyRange(report))) {
            expect(each.start <= start && (each.end === '' || (end !== '' && end <= each.end))).toBe(true);
          }
        }
        expect(ranges.parts.map(({ start }) => start)).toEqual(
          ranges.parts
            .map(({ end }) => end)
            .slice(0, -1)
            .toSpliced(0, 0, ''),
        );
      },
    ),
    { numRuns: 10_000 },
  );
});

test('parts that touch a range or a prefix', () => {
  const ranges = new Ranges([view(source, after), view(taker, open)]);
  const starts = (from: string, to: string): string[] => ranges.between(from, to).map(({ start }) => start);
  expect([starts('', ''), starts('a', 'm'), starts('m', 'n'), starts('l', 'n'), starts('b', 'b')]).toEqual([
    ['', 'm'],
    [''],
    ['m'],
    ['', 'm'],
    [],
  ]);
  expect([endOfPrefix(''), endOfPrefix('a'), endOfPrefix('a\xff\xff'), endOfPrefix('\xff')]).toEqual([
    '',
    'b',
    'b',
    '',
  ]);
  const [lower, upper] = ranges.parts as [RangePart, RangePart];
  const asked = (part: RangePart, start: string, end: string) => overlap(part, { start, end });
  expect([asked(lower, '', ''), asked(lower, 'a', 'z'), asked(upper, 'a', 'z'), asked(upper, 'n', '')]).toEqual([
    { start: '', end: 'm' },
    { start: 'a', end: 'm' },
    { start: 'm', end: 'z' },
    { start: 'n', end: '' },
  ]);
  expect(isEmptyRange(asked(upper, 'a', 'b'))).toBe(true);
  expect(handedOn(new Ranges([view(source, before), view(taker)]), ranges)).toEqual([['s', 't']]);
});
