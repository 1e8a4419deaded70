import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

const noted = (values: readonly number[]): LatencyHistogram => {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.note(value);
  return histogram;
};

describe('durations', () => {
  test('below 16 µs are exact, and none is 0', () => {
    const histogram = noted([1, 2, 2, 15]);
    expect([0.25, 0.5, 0.75, 1].map((share) => histogram.percentile(share))).toEqual([1, 2, 2, 15]);
    expect([histogram.count, histogram.sum]).toEqual([4, 20]);
    expect(new LatencyHistogram().percentile(0.99)).toBe(0);
  });

  test('a percentile is never too low, and at most a sixteenth too high', () => {
    const values = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1), (list, share) => {
        const exact = list.toSorted((a, b) => a - b)[Math.ceil(share * list.length) - 1] ?? 0;
        const told = noted(list).percentile(share);
        expect(told).toBeGreaterThanOrEqual(exact);
        expect(told).toBeLessThanOrEqual(exact * (1 + 1 / 16) + 1);
      }),
    );
  });

  test('are counted once in cumulative buckets', () => {
    const bounds = [10, 1_000, 1_000_000, Infinity];
    expect(noted([5, 10, 11, 900, 5_000_000_000]).cumulative(bounds)).toEqual([2, 4, 4, 5]);
    fc.assert(
      fc.property(fc.array(fc.nat()), (list) => {
        expect(
          noted(list)
            .cumulative([...bounds])
            .at(-1),
        ).toBe(list.length);
      }),
    );
  });

  test('are forgotten on reset', () => {
    const histogram = noted([100]);
    histogram.reset();
    expect([histogram.count, histogram.sum, histogram.percentile(1)]).toEqual([0, 0, 0]);
  });
});
