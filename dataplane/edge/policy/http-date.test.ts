import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { parseHttpDate } from './http-date.ts';

const now = Date.UTC(2026, 10, 24);
const expected = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('RFC 9110 section 5.6.7: dates', () => {
  it.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ['asctime', 'Sun Nov  6 08:49:37 1994'],
    ['any case', 'SUN, 06 nOV 1994 08:49:37 gmt'],
  ])('%s is read', (_, text) => {
    expect(parseHttpDate(text, now)).toBe(expected);
  });

  it.each([
    ['a number', '0'],
    ['another zone', 'Sun, 06 Nov 1994 08:49:37 UTC'],
    ['a two-digit year', 'Sun, 06 Nov 94 08:49:37 GMT'],
    ['no comma', 'Sun 06 Nov 1994 08:49:37 GMT'],
    ['two spaces', 'Sun, 06  Nov 1994 08:49:37 GMT'],
    ['dashes', 'Sun, 06-Nov-1994 08:49:37 GMT'],
    ['periods in the time', 'Sun, 06 Nov 1994 08.49.37 GMT'],
    ['a one-digit hour', 'Sun, 06 Nov 1994 8:49:37 GMT'],
    ['an hour that is none', 'Sun, 06 Nov 1994 25:49:37 GMT'],
    ['a month that is none', 'Sun, 06 Foo 1994 08:49:37 GMT'],
  ])('%s is no date', (_, text) => {
    expect(parseHttpDate(text, now)).toBeUndefined();
  });

  it('takes a two-digit year more than 50 years ahead for one of the past', () => {
    expect(parseHttpDate('Tuesday, 06-Nov-76 08:49:37 GMT', now)).toBe(Date.UTC(2076, 10, 6, 8, 49, 37));
    expect(parseHttpDate('Sunday, 06-Nov-77 08:49:37 GMT', now)).toBe(Date.UTC(1977, 10, 6, 8, 49, 37));
  });

  it('reads what toUTCString writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
        expect(parseHttpDate(new Date(seconds * 1000).toUTCString(), now)).toBe(seconds * 1000);
      }),
    );
  });
});
