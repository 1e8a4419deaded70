import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** Time, so that tests can hold it in their hands. */
export interface Clock {
  /** Monotonic milliseconds. Runs on while the process is stopped, so that a lease ends for a paused primary too. */
  now(): number;
  /** Wall clock, milliseconds since 1970. */
  wall(): number;
  /** Resolves after `ms`, or early when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Between 0 and 1, for jitter. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal });
    } catch {
      // Aborted: the caller looks at its signal.
    }
  },
  random: () => Math.random(),
};

/** `ms` spread by a quarter to both sides. */
export const jittered = (clock: Clock, ms: number): number => ms * (0.75 + clock.random() / 2);
