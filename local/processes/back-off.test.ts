import { describe, expect, it } from 'vitest';
import { nextDelay } from './back-off.ts';

const backOff = { firstMs: 1000, limitMs: 8000, forgetAfterMs: 30_000 };

describe('restart back-off', () => {
  it('restarts at once, then after a wait that doubles up to the limit', () => {
    const delays: number[] = [];
    let delay: number | undefined;
    for (let i = 0; i < 7; i += 1) delays.push((delay = nextDelay(delay, 10, backOff)));
    expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  it('forgets failures after a run that was long enough', () => {
    expect(nextDelay(8000, 30_000, backOff)).toBe(0);
    expect(nextDelay(8000, 29_999, backOff)).toBe(8000);
  });
});
