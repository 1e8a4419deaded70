import type { Clock } from './clock.ts';

/** A clock for tests: time moves only when told. */
export interface FakeClock extends Clock {
  /** Moves time, running due timers in order, with a turn of the microtask queue after each. */
  advance(ms: number): Promise<void>;
  /** Timers waiting. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Starts at 0 monotonic and at the given wall time. */
export function fakeClock(wallStart: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = 0;
  const timers = new Set<Timer>();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const nextDue = (until: number): Timer | undefined =>
    [...timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    wall: () => wallStart + now,
    timer(ms, run) {
      const timer = { at: now + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.run();
        await settle();
      }
      now = until;
      await settle();
    },
    get pending() {
      return timers.size;
    },
  };
}
