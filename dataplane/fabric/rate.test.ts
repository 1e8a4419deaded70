import { describe, expect, it } from 'vitest';
import { Rate } from './rate.ts';

/** A rate that is asked every 250 ms while the counter grows. */
const after = (seconds: number, perSecond: number, rate?: Rate, from = { count: 0, now: 0 }) => {
  const at = from;
  const watched =
    rate ??
    new Rate(
      () => at.count,
      () => at.now,
    );
  let last = 0;
  for (let beat = 0; beat < seconds * 4; beat++) {
    at.now += 250;
    at.count += perSecond / 4;
    last = watched.perSecond();
  }
  return { rate: watched, at, last };
};

describe('a rate', () => {
  it('comes close to what it measures within half a minute', () => {
    expect(after(30, 400).last).toBeGreaterThan(375);
    expect(after(30, 400).last).toBeLessThanOrEqual(400);
  });

  it('falls to zero when nothing happens any more', () => {
    const { rate, at } = after(30, 400);
    expect(after(120, 0, rate, at).last).toBe(0);
  });

  it('is the same however often it is asked', () => {
    const at = { count: 0, now: 0 };
    const rate = new Rate(
      () => at.count,
      () => at.now,
    );
    at.count = 100;
    at.now = 1000;
    expect(rate.perSecond()).toBe(rate.perSecond());
  });
});
