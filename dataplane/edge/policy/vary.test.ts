import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsOf, storedWith } from './testing.ts';
import { matchesVary, normalise, varyNames } from './vary.ts';

const matches = (
  response: Record<string, string>,
  first: Record<string, string>,
  second: Record<string, string>,
): boolean => matchesVary(storedWith(response, { request: fieldsOf(first) }), fieldsOf(second));

describe('RFC 9111 section 4.1: Vary', () => {
  it.each([
    ['same value', { Vary: 'Foo' }, { Foo: '1' }, { foo: '1' }, true],
    ['other value', { Vary: 'Foo' }, { Foo: '1' }, { Foo: '2' }, false],
    ['absent in both', { Vary: 'Foo' }, {}, {}, true],
    ['absent now', { Vary: 'Foo' }, { Foo: '1' }, {}, false],
    ['absent then', { Vary: 'Foo' }, {}, { Foo: '1' }, false],
    ['white space', { Vary: 'Foo' }, { Foo: '1, 2' }, { Foo: '1,2' }, true],
    ['one of two differs', { Vary: 'Foo, Bar' }, { Foo: '1', Bar: '2' }, { Foo: '1', Bar: '3' }, false],
    ['others do not count', { Vary: 'Foo' }, { Foo: '1', X: '1' }, { Foo: '1', X: '2' }, true],
    [
      'languages in another order',
      { Vary: 'Accept-Language' },
      { 'Accept-Language': 'en, de' },
      { 'Accept-Language': 'De,EN' },
      true,
    ],
    [
      'the language that is preferred',
      { Vary: 'Accept-Language', 'Content-Language': 'de' },
      { 'Accept-Language': 'en, de' },
      { 'Accept-Language': 'fr;q=0.5, de' },
      true,
    ],
    [
      'a language that is not',
      { Vary: 'Accept-Language', 'Content-Language': 'de' },
      { 'Accept-Language': 'en, de' },
      { 'Accept-Language': 'fr, de;q=0.5' },
      false,
    ],
  ] as [string, Record<string, string>, Record<string, string>, Record<string, string>, boolean][])(
    '%s',
    (...[, response, first, second, expected]) => {
      expect(matches(response, first, second)).toBe(expected);
    },
  );

  it('joins lines of a request field (RFC 9110 section 5.3)', () => {
    const stored = storedWith({ Vary: 'Foo' }, { request: ['Foo', '1, 2'] });
    expect(matchesVary(stored, ['Foo', '1', 'foo', '2'])).toBe(true);
  });

  it.each([['*'], ['*, *'], [', *'], ['*, Foo'], ['Foo, *']])('%j matches nothing', (vary) => {
    expect(varyNames(fieldsOf({ Vary: vary }))).toBe('*');
  });
});

describe('Accept-Encoding in normal form', () => {
  it.each([
    ['gzip, deflate, br', 'br,gzip'],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', 'br,gzip,zstd'],
    ['gzip;q=0, br', 'br'],
    ['identity', ''],
    ['x-gzip', 'gzip'],
    ['*', 'br,gzip,zstd'],
    ['*;q=0', ''],
  ])('%s: %s', (text, normal) => {
    expect(normalise('accept-encoding', text)).toBe(normal);
  });

  it('does not give a client a coding that it refuses', () => {
    const response = { Vary: 'Accept-Encoding', 'Content-Encoding': 'deflate' };
    expect(matches(response, { 'Accept-Encoding': 'gzip, deflate' }, { 'Accept-Encoding': 'gzip' })).toBe(false);
    expect(matches(response, { 'Accept-Encoding': 'gzip, deflate' }, { 'Accept-Encoding': 'deflate, gzip' })).toBe(
      true,
    );
  });

  it('is the same for a normal form', () => {
    const coding = fc.constantFrom('gzip', 'br', 'zstd', 'deflate', 'identity', '*');
    const member = fc.tuple(coding, fc.constantFrom('', ';q=0', ';q=0.5')).map(([name, weight]) => name + weight);
    fc.assert(
      fc.property(fc.array(member), (members) => {
        const normal = normalise('accept-encoding', members.join(', '));
        expect(normalise('accept-encoding', normal)).toBe(normal);
      }),
    );
  });
});
