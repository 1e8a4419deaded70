import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateRange, parseContentRange, rangeWithin } from './ranges.ts';

const outcome = (value: string, length = 100): unknown => {
  const result = evaluateRange(value, length);
  return result.kind === 'parts' ? result.ranges.map(({ first, last }) => `${first}-${last}`).join(',') : result.kind;
};

describe('RFC 9110 section 14.2: Range', () => {
  it.each([
    ['bytes=0-9', '0-9'],
    ['bytes=90-', '90-99'],
    ['bytes=-10', '90-99'],
    ['bytes=-1000', '0-99'],
    ['bytes=50-1000', '50-99'],
    ['bytes=0-0,99-99', '0-0,99-99'],
    ['bytes=0-9, 200-300', '0-9'],
    ['BYTES=0-9', '0-9'],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=0-9,5-20', 'whole'],
    ['bytes=9-0', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=', 'whole'],
    ['items=0-9', 'whole'],
    [`bytes=${Array.from({ length: 17 }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`, 'whole'],
  ])('%s of 100 bytes: %s', (value, expected) => {
    expect(outcome(value)).toBe(expected);
  });

  it('never leaves the representation', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.nat(1000), (first, last, length) => {
        const result = evaluateRange(`bytes=${first}-${last}`, length);
        if (result.kind !== 'parts') return;
        for (const range of result.ranges) {
          expect(range.first).toBeLessThanOrEqual(range.last);
          expect(range.last).toBeLessThan(length);
        }
      }),
    );
  });
});

describe('RFC 9110 section 14.4: Content-Range', () => {
  it.each([
    ['bytes 0-9/100', { first: 0, last: 9, length: 100 }],
    ['bytes 0-9/*', { first: 0, last: 9, length: undefined }],
    ['bytes 9-0/100', undefined],
    ['bytes 0-100/100', undefined],
    ['bytes */100', undefined],
    ['items 0-9/100', undefined],
  ])('%s', (value, part) => {
    expect(parseContentRange(value)).toEqual(part);
  });
});

describe('RFC 9111 section 3.3: ranges inside a stored part', () => {
  const part = { first: 10, last: 19, length: 100 };
  it.each([
    ['bytes=12-15', { first: 12, last: 15 }],
    ['bytes=10-19', { first: 10, last: 19 }],
    ['bytes=9-15', undefined],
    ['bytes=15-20', undefined],
    ['bytes=15-', undefined],
    ['bytes=12-13,14-15', undefined],
  ])('%s', (value, range) => {
    expect(rangeWithin(value, part)).toEqual(range);
  });

  it('open ends need the length', () => {
    expect(rangeWithin('bytes=95-', { first: 90, last: 99, length: 100 })).toEqual({ first: 95, last: 99 });
    expect(rangeWithin('bytes=95-', { first: 90, last: 99, length: undefined })).toBeUndefined();
  });
});
