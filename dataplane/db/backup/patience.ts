import { setTimeout as sleep } from 'node:timers/promises';
import { BackupError } from './backup-error.ts';

const firstPauseMs = 50;
const maxPauseMs = 2_000;

export interface Patience {
  readonly signal: AbortSignal;
  /** What does not answer for so long is given up, milliseconds. */
  readonly forMs: number;
}

/** @throws BackupError unreachable, when the signal is aborted */
export const goOn = (signal: AbortSignal): void => {
  if (signal.aborted) throw new BackupError('unreachable', 'stopped before it was done');
};

/** Does something again, with pauses, while it fails as unreachable. @throws BackupError */
export const patiently = async <T>(act: () => Promise<T>, { signal, forMs }: Patience): Promise<T> => {
  const deadline = performance.now() + forMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    goOn(signal);
    try {
      return await act();
    } catch (error) {
      const again = error instanceof BackupError && error.code === 'unreachable' && performance.now() < deadline;
      if (!again) throw error;
    }
    await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
  }
};

/**
 * Does something for each of several, so many at once. When one fails the others are told to stop by their signal, and all
 * have ended when this ends. @throws what failed first
 */
export const eachOf = async <T, R>(
  all: readonly T[],
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
  act: (one: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> => {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const results = new Map<T, R>();
  const waiting = [...all];
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && errors.length === 0; next = waiting.shift()) {
      try {
        goOn(stop);
        results.set(next, await act(next, stop));
      } catch (error) {
        errors.push(error);
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (errors.length > 0) throw errors[0];
  return all.flatMap((one) => (results.has(one) ? [results.get(one) as R] : []));
};
