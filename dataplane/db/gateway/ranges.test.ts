import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { unsplit, type DbShardEntry } from '../../../contract/directory.ts';
import { Ranges } from './ranges.ts';

const shard = (name: string, start: string, end: string, conflict: string | null = null): DbShardEntry => ({
  kind: 'db',
  namespace: 'n',
  ...unsplit,
  database: 'd',
  log: null,
  members: [],
  primary: null,
  term: 0,
  name,
  start,
  end,
  conflict,
});

const found = (ranges: Ranges, key: string): string => {
  try {
    return ranges.find(key).name;
  } catch (error) {
    return (error as Error).message;
  }
};

test('a key belongs to the range that holds it: start inclusive, end exclusive', () => {
  const ranges = new Ranges([shard('b', 'm', ''), shard('a', '', 'm')]);
  expect(['', 'a', 'lzzz', 'm', 'z', '\xff'].map((key) => found(ranges, key))).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
  expect(ranges.shards.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('bounds compare by their UTF-8 bytes', () => {
  const ranges = new Ranges([shard('a', '', 'é'), shard('b', 'é', '')]);
  const key = (text: string): string => Buffer.from(text).toString('latin1');
  expect(['z', 'è', 'é', '日'].map((text) => found(ranges, key(text)))).toEqual(['a', 'a', 'b', 'b']);
});

test('keys in a gap, in an overlap and in a conflict are refused with the reason', () => {
  const ranges = new Ranges([shard('a', '', 'g'), shard('b', 'f', 'm'), shard('c', 'p', '', 'overlaps c2')]);
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
        const shards = bounds.map(([start, end], i) => shard(`s${i}`, start, end));
        const holders = shards.filter(({ start, end }) => start <= key && (end === '' || key < end));
        const name = found(new Ranges(shards), key);
        if (holders.length === 1) expect(name).toBe(holders[0]!.name);
        else expect(name).toMatch(holders.length === 0 ? /^no shard/ : /overlap/);
      },
    ),
  );
});
