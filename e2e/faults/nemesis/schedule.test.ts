import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { faultNames, faults } from './faults.ts';
import { schedule } from './schedule.ts';

const halfAnHour = 30 * 60_000;

test('a seed repeats its schedule, another seed has another', () => {
  const of = (seed: string) => schedule(new Random(seed), faultNames, halfAnHour);
  expect(of('one')).toEqual(of('one'));
  expect(of('one')).not.toEqual(of('two'));
});

test('every fault has its turn in three minutes', () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    const struck = new Set(schedule(new Random(seed), faultNames, 180_000).map(({ fault }) => fault));
    expect([...struck].sort(), `seed ${seed}`).toEqual([...faultNames].sort());
  }
});

test('no fault begins shortly before the end, nor lasts longer than it may', () => {
  for (const { fault, at, lasts } of schedule(new Random('x'), faultNames, halfAnHour)) {
    expect(at).toBeLessThan(halfAnHour - 5_000);
    expect(lasts).toBeLessThanOrEqual(faults[fault].longestMs);
  }
});

test('without faults nothing happens', () => {
  expect(schedule(new Random('x'), [], halfAnHour)).toEqual([]);
});
