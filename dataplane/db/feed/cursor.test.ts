import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCursor, parseCursor } from './cursor.ts';

test('a cursor that was written is read again', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.integer({ min: 1, max: 2 ** 49 }), { minKeys: 1, maxKeys: 5 }), (sequences) => {
      const cursor = new Map(Object.entries(sequences));
      expect(parseCursor(formatCursor(cursor), [...cursor.keys()])).toEqual(cursor);
    }),
  );
});

test('a number is a sequence of the only shard', () => {
  expect(parseCursor('18', ['app-0'])).toEqual(new Map([['app-0', 18]]));
});

test.each([
  ['18', ['a', 'b'], /^CROSSSHARD .*say FROM a:1,b:1$/],
  ['0', ['a'], /^ERR '0' is no sequence/],
  ['', ['a'], /^ERR '' is no cursor/],
  ['a', ['a'], /^ERR 'a' is no cursor/],
  ['a:x', ['a'], /^ERR 'x' is no sequence/],
  ['a:1,', ['a'], /^ERR '' is no cursor/],
  ['a:1', ['a', 'b'], /^COMPACTED .*now a, b/],
  ['a:1,b:1,c:1', ['a', 'b'], /^COMPACTED/],
  ['a:9999999999999999', ['a'], /^ERR/],
])('%j for shards %j is refused with what to do', (text, shards, error) => {
  const attempt = (): string => {
    try {
      return String(parseCursor(text, shards));
    } catch (thrown) {
      const { code, message } = thrown as { code: string; message: string };
      return `${code} ${message}`;
    }
  };
  expect(attempt()).toMatch(error);
});

test('a number alone may be a sequence of the shard that had the keys before', () => {
  expect(() => parseCursor('18', ['app-1'], true)).toThrow(/^a sequence is that of one shard.*say FROM app-1:1$/);
  expect(parseCursor('app-1:18', ['app-1'], true)).toEqual(new Map([['app-1', 18]]));
});
