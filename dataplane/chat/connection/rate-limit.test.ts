import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

describe('a rate limit', () => {
  it('allows a burst, then the steady rate', () => {
    const limit = new RateLimit(10, 5, 0);
    expect(Array.from({ length: 7 }, () => limit.take(0))).toEqual([true, true, true, true, true, false, false]);
    expect(limit.take(99)).toBe(false);
    expect(limit.take(150)).toBe(true);
    expect(limit.take(150)).toBe(false);
  });

  it('never saves up more than the burst, and a clock that steps back gives nothing', () => {
    const limit = new RateLimit(10, 2, 0);
    expect([limit.take(1e9), limit.take(1e9), limit.take(1e9)]).toEqual([true, true, false]);
    expect(limit.take(0)).toBe(false);
  });
});
