import { describe, expect, it } from 'vitest';
import { parseEntityTags } from './entity-tag.ts';
import { isNotModified } from './preconditions.ts';
import { dateOf, storedWith } from './testing.ts';

const is304 = (fields: Record<string, string>, ifNoneMatch?: string, ifModifiedSince?: string): boolean =>
  isNotModified({ ifNoneMatch, ifModifiedSince }, storedWith(fields));

describe('RFC 9110 section 13.1.2: If-None-Match', () => {
  it.each([
    ['"a"', '"a"', true],
    ['"a"', '"b"', false],
    ['"a"', 'W/"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', '"x", "a", "y"', true],
    ['"a,b"', '"a,b"', true],
    ['"a"', '*', true],
    ['a', 'a', true],
  ])('ETag %s, If-None-Match %s: %s', (etag, list, expected) => {
    expect(is304({ ETag: etag }, list)).toBe(expected);
  });

  it('outranks If-Modified-Since', () => {
    const fields = { ETag: '"a"', 'Last-Modified': dateOf(-60) };
    expect(is304(fields, '"a"', dateOf(-100))).toBe(true);
    expect(is304(fields, '"b"', dateOf(0))).toBe(false);
  });
});

describe('RFC 9110 section 13.1.3 and RFC 9111 section 4.3.2: If-Modified-Since', () => {
  it.each([
    ['the same time', { 'Last-Modified': dateOf(-60) }, dateOf(-60), true],
    ['a later time', { 'Last-Modified': dateOf(-60) }, dateOf(-10), true],
    ['an earlier time', { 'Last-Modified': dateOf(-60) }, dateOf(-90), false],
    ['no date', { 'Last-Modified': dateOf(-60) }, 'yesterday', false],
    ['no Last-Modified: the Date counts', {}, dateOf(0), true],
    ['no Last-Modified, before the Date', {}, dateOf(-1), false],
  ])('%s', (_, fields, since, expected) => {
    expect(is304(fields as Record<string, string>, undefined, since)).toBe(expected);
  });
});

describe('RFC 9110 section 8.8.3: lists of entity tags', () => {
  it.each([
    ['"a"', ['"a"']],
    ['"a","b"', ['"a"', '"b"']],
    ['"a, b" , W/"c"', ['"a, b"', 'W/"c"']],
    ['abc, "d"', ['abc', '"d"']],
    ['', []],
  ])('%j', (text, tags) => {
    expect(parseEntityTags(text)).toEqual(tags);
  });
});
