import { assert, double, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { backOffMs, jitter } from './back-off.ts';

const bounds = { minMs: 200, maxMs: 60_000 };

test.each([
  [1, 200],
  [2, 400],
  [3, 800],
  [10, 60_000],
  [1_000, 60_000],
])('after %d failures the delay is at most %d ms', (failures, ms) => {
  expect(backOffMs(bounds, failures, 1)).toBe(ms);
  expect(backOffMs(bounds, failures, 0)).toBe(ms / 2);
});

test('it never leaves its bounds, and jitter stays within its share', () => {
  const random = double({ min: 0, max: 1, noNaN: true });
  assert(
    property(integer({ min: 0, max: 1e6 }), random, (failures, random) => {
      const ms = backOffMs(bounds, failures, random);
      expect(ms).toBeGreaterThanOrEqual(bounds.minMs / 2);
      expect(ms).toBeLessThanOrEqual(bounds.maxMs);
      expect(Math.abs(jitter(1_000, 0.1, random) - 1_000)).toBeLessThanOrEqual(100.001);
    }),
  );
});
