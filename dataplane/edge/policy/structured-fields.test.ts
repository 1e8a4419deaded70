import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDictionary } from './structured-fields.ts';

describe('RFC 9651 section 4.2.2: dictionaries', () => {
  it.each([
    ['max-age=10', { 'max-age': { type: 'integer', value: 10 } }],
    ['a', { a: { type: 'boolean', value: true } }],
    ['a=?0, b=?1', { a: { type: 'boolean', value: false }, b: { type: 'boolean', value: true } }],
    ['a="x\\"y"', { a: { type: 'string', value: 'x"y' } }],
    ['a=tok/en', { a: { type: 'token', value: 'tok/en' } }],
    ['a=-1.5;p=1;q', { a: { type: 'decimal', value: -1.5 } }],
    ['a=(1 2);x, b', { a: { type: 'inner-list' }, b: { type: 'boolean', value: true } }],
    ['a=:aGk=:', { a: { type: 'bytes', value: 'aGk=' } }],
    ['a=1,   a=2', { a: { type: 'integer', value: 2 } }],
    ['', {}],
  ])('%j is read', (text, members) => {
    expect(Object.fromEntries(parseDictionary(text) ?? [])).toEqual(members);
  });

  it.each([
    'max-age=10, &&&&&',
    'A=1',
    'a=',
    'a=1,',
    'a=1 b=2',
    'a="x',
    'a =1',
    'a= 1',
    'a=(1',
    'a=1.',
    'a=1234567890123456',
  ])('%j is refused', (text) => {
    expect(parseDictionary(text)).toBeUndefined();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseDictionary(text);
      }),
    );
  });
});
