import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import { ordinalOf, routeIndexes } from './index-map.ts';
import { parseBulk } from './parse-bulk.ts';
import { ReplicaChoice } from './replica-choice.ts';
import { cacheLifetimeMs, ResultCache } from './result-cache.ts';

const entry = (change: Partial<SearchShardEntry>): SearchShardEntry => ({
  kind: 'search',
  namespace: 'test',
  name: `shard-${change.ordinal ?? 0}`,
  index: 'books',
  ordinal: 0,
  of: 2,
  analyzer: 'english',
  conflict: null,
  primary: null,
  term: 0,
  log: null,
  members: [],
  ...change,
});

describe('the map of indexes', () => {
  it('puts shards in their places and leaves gaps where none is', () => {
    const route = routeIndexes([entry({ ordinal: 1 })]).get('books');
    expect(route).toMatchObject({ of: 2, conflict: null });
    expect(route?.shards.map((shard) => shard?.ordinal)).toEqual([undefined, 1]);
  });

  it.each([
    ['shards that differ in their number', [entry({ ordinal: 0 }), entry({ ordinal: 1, of: 3 })]],
    ['two shards with one ordinal', [entry({ ordinal: 0, name: 'a' }), entry({ ordinal: 0, name: 'b' })]],
    ['a conflict that the operator found', [entry({ ordinal: 0, conflict: 'overlaps' }), entry({ ordinal: 1 })]],
  ])('does not serve %s', (_, entries) => {
    expect(routeIndexes(entries).get('books')?.conflict).not.toBeNull();
  });

  it('routes documents by crc32 of their id', () => {
    for (const id of ['a', 'doc-17', 'ü', '']) expect(ordinalOf(id, 5)).toBe(crc32(id) % 5);
  });
});

describe('the result cache', () => {
  it('answers only for the version that it was asked with, and for five minutes', () => {
    let now = 0;
    const cache = new ResultCache(() => now);
    cache.set('key', 'v1', 'answer');
    expect(cache.get('key', 'v1')).toMatchObject({ value: 'answer', hits: 1 });
    expect(cache.get('key', 'v1')).toMatchObject({ hits: 2 });
    now = cacheLifetimeMs + 1;
    expect(cache.get('key', 'v1')).toBeNull();
    cache.set('key', 'v1', 'answer');
    expect(cache.get('key', 'v2')).toBeNull();
    expect(cache.get('key', 'v1')).toBeNull();
  });

  it('has one key for equal searches, whatever the order of their parts', () => {
    expect(ResultCache.key('i', { from: 1, size: 2 })).toBe(ResultCache.key('i', { size: 2, from: 1 }));
    expect(ResultCache.key('i', { from: 1 })).not.toBe(ResultCache.key('i', { from: 2 }));
    expect(ResultCache.key('i', {})).not.toBe(ResultCache.key('j', {}));
  });

  it('stays within its bounds', () => {
    const cache = new ResultCache(() => 0);
    for (let i = 0; i < 3000; i++) cache.set(`key ${i}`, 'v', 'x'.repeat(100_000));
    expect(cache.get('key 0', 'v')).toBeNull();
    expect(cache.get('key 2999', 'v')).not.toBeNull();
  });
});

describe('the choice of a replica', () => {
  it('prefers the quicker one, and leaves one with a queue', () => {
    const choice = new ReplicaChoice(() => 0);
    for (let i = 0; i < 20; i++) {
      choice.sent('slow');
      choice.answered('slow', 50);
      choice.sent('quick');
      choice.answered('quick', 5);
    }
    expect(choice.order(['slow', 'quick'])[0]).toBe('quick');
    for (let i = 0; i < 5; i++) choice.sent('quick');
    expect(choice.order(['slow', 'quick'])[0]).toBe('slow');
  });

  it('turns away from one that fails', () => {
    const choice = new ReplicaChoice(() => 0);
    choice.sent('a');
    choice.failed('a');
    expect(choice.order(['a', 'b'])).toEqual(['b', 'a']);
  });
});

describe('a bulk request', () => {
  it('is cut into operations, with what is wrong noted at each', () => {
    const lines = [
      '{"index":{"_index":"x","_id":"1"}}',
      '{"a":1}',
      '{"delete":{"_id":"2"}}',
      '{"delete":{}}',
      '{"create":{"_id":3}}',
      '{}',
      '{"index":{"_id":"4","strange":1}}',
      '{}',
    ];
    const items = parseBulk(`${lines.join('\n')}\n`, 'books');
    expect(items.map(({ action, index, id, reason }) => [action, index, id, reason === null])).toEqual([
      ['index', 'x', '1', true],
      ['delete', 'books', '2', true],
      ['delete', 'books', null, false],
      ['create', 'books', '3', true],
      ['index', 'books', null, false],
    ]);
  });

  it.each([['garbage\n'], ['{"fly":{}}\n{}\n'], ['{"index":{}}'], ['[]\n'], ['\n\n'], ['{"index":{},"delete":{}}\n']])(
    'that cannot be cut is refused whole: %j',
    (text) => expect(() => parseBulk(text, 'books')).toThrow(),
  );
});
