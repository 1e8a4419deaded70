import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreedOffset } from './agreed-clock.ts';

const year = 365 * 24 * 3_600_000;

test.each([
  ['alone, the own clock counts', 5, [], 5],
  ['of two the earlier one', 5, [3], 3],
  ['of two the earlier one, the own too', 5, [8], 5],
  ['of three the middle one', 5, [3, 9], 5],
  ['the own clock jumps ahead: the others hold', year, [3, 9], 9],
  ['the own clock falls back: the others hold', -year, [3, 9], 3],
  ['another jumps ahead: nothing moves', 5, [3, year], 5],
  ['most clocks moved: then it is time', year, [3, year + 1], year],
])('%s', (_name, own, others, agreed) => {
  expect(agreedOffset(own, others)).toBe(agreed);
});

test('it never passes what a minority says, whichever way', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 2, maxLength: 6 }), fc.integer(), (honest, liar) => {
      const [own = 0, ...rest] = honest;
      const agreed = agreedOffset(own, [...rest, liar]);
      expect(agreed).toBeGreaterThanOrEqual(Math.min(...honest, liar < 0 ? Math.min(...honest) : liar));
      expect(agreed).toBeLessThanOrEqual(Math.max(...honest));
    }),
  );
});
