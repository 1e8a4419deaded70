import { performance } from 'node:perf_hooks';

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
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal?.addEventListener('abort', finish, { once: true });
    }),
  random: () => Math.random(),
};

/** `ms` spread by a quarter to both sides. */
export const jittered = (clock: Clock, ms: number): number => ms * (0.75 + clock.random() / 2);
