import { expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import { TokenBucket } from './token-bucket.ts';

test('a burst is free, then tokens come at the rate, and no more than a burst is saved', async () => {
  const clock = fakeClock();
  const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, clock);
  expect([bucket.reserve(), bucket.reserve(), bucket.reserve(), bucket.reserve()]).toEqual([0, 0, 100, 200]);
  await clock.advance(10_000);
  expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
});

test('a token that was reserved and given back is there for the next', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, fakeClock());
  bucket.reserve();
  expect(bucket.reserve()).toBe(100);
  bucket.giveBack();
  expect(bucket.reserve()).toBe(100);
});
