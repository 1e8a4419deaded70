import { describe, expect, it } from 'vitest';
import { SmoothedWork } from './smoothed.ts';

const over = 120_000;

/** Work that is looked at every five seconds. */
const watch = (work: SmoothedWork, seconds: number, leader: number, from = 0): number => {
  let now = from;
  for (let i = 0; i <= seconds / 5; i++, now += 5_000) work.take('s', { leader, follower: leader / 10 }, now);
  return now - 5_000;
};

describe('work over the last minutes', () => {
  it('is not known before it was watched for a minute', () => {
    const work = new SmoothedWork(over);
    expect(work.of('s', watch(work, 55, 100))).toBeNull();
    expect(work.of('s', watch(work, 60, 100, 60_000))).not.toBeNull();
    expect(work.of('other', 60_000)).toBeNull();
  });

  it('is what it is from the first minute on, by role', () => {
    const work = new SmoothedWork(over);
    const known = work.of('s', watch(work, 60, 100));
    expect(known?.leader).toBeCloseTo(100);
    expect(known?.follower).toBeCloseTo(10);
  });

  it('follows a change within minutes, and a peak of seconds hardly', () => {
    const work = new SmoothedWork(over);
    const quiet = watch(work, 600, 100);
    const peak = watch(work, 5, 10_000, quiet + 5_000);
    expect(work.of('s', peak)?.leader).toBeLessThan(1000);
    const later = watch(work, 600, 100, peak + 5_000);
    expect(work.of('s', later)?.leader).toBeLessThan(110);
    const busy = watch(work, 300, 1000, later + 5_000);
    expect(work.of('s', busy)?.leader).toBeGreaterThan(900);
  });

  it('forgets sets that are gone', () => {
    const work = new SmoothedWork(over);
    const now = watch(work, 120, 1);
    work.keep(new Set(['other']));
    expect(work.of('s', now)).toBeNull();
  });
});
