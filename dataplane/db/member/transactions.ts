import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Recovery } from '../two-phase/recovery.ts';
import type { Executor } from './executor.ts';

const everyMs = 250;

export interface Watched {
  readonly executor: Pick<Executor, 'tick'>;
  readonly recovery: Pick<Recovery, 'look'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Finishes transactions whose coordinator is gone, and what waits for their locks. Ends with the signal. */
export const watchTransactions = async ({ executor, recovery, log, signal }: Watched): Promise<void> => {
  let looking = false;
  while (!signal.aborted) {
    executor.tick();
    if (!looking) {
      looking = true;
      void recovery
        .look()
        .catch((error: unknown) => log.error({ err: error }, 'recovery of transactions failed; it is tried again'))
        .finally(() => {
          looking = false;
        });
    }
    await sleep(everyMs * (0.75 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => {});
  }
};
