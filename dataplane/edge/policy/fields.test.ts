import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldLines, fieldValue, splitList, withField, withoutFields } from './fields.ts';

describe('RFC 9110 section 5: fields', () => {
  const fields = ['Foo', '1', 'bar', '2', 'FOO', '3'];

  it('are found whatever the case, and lines are joined', () => {
    expect(fieldLines(fields, 'foo')).toEqual(['1', '3']);
    expect(fieldValue(fields, 'foo')).toBe('1, 3');
    expect(fieldValue(fields, 'none')).toBeUndefined();
  });

  it('are taken out and replaced', () => {
    expect(withoutFields(fields, new Set(['foo']))).toEqual(['bar', '2']);
    expect(withField(fields, 'Foo', '9')).toEqual(['bar', '2', 'Foo', '9']);
  });
});

describe('RFC 9110 section 5.6.1: lists', () => {
  it.each([
    ['a, b,c', ['a', 'b', 'c']],
    [',, a ,', ['a']],
    ['a="x, y", b', ['a="x, y"', 'b']],
    ['a="x\\", y", b', ['a="x\\", y"', 'b']],
    ['', []],
  ])('%j', (text, members) => {
    expect(splitList(text)).toEqual(members);
  });

  it('come apart where they were joined', () => {
    const token = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        expect(splitList(tokens.join(' , '))).toEqual(tokens);
      }),
    );
  });
});
