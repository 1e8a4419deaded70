import { setTimeout as sleep } from 'node:timers/promises';
import type { Executor } from './executor.ts';

const pauseMs = 500;
const betweenPassesMs = 10;

/** Removes expired keys through the log, in bounded passes, while this member leads. Ends with the signal. */
export const removeExpired = async (executor: Executor, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const more = executor.expire();
    await sleep(more ? betweenPassesMs : pauseMs * (0.75 + Math.random() / 2), undefined, { signal, ref: false }).catch(
      () => {},
    );
  }
};
