import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Replica } from '../../replica/replica.ts';
import type { Executor } from '../member/executor.ts';
import type { Store } from '../store/store.ts';
import { sweep } from './sweep.ts';

export interface Swept {
  readonly executor: Pick<Executor, 'inOrder' | 'load'>;
  readonly replica: Pick<Replica, 'leading' | 'refusal'>;
  readonly store: Pick<Store, 'rows' | 'keyRange' | 'notes'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Between two looks when there is nothing to sweep, milliseconds. */
const idleMs = 1_000;
/** Between two passes, which take a few milliseconds; longer while clients are served. */
const pauseMs = { quiet: 20, busy: 60 } as const;

const jittered = (ms: number): number => ms * (0.75 + Math.random() / 2);

/** One pass, if this member leads; answers how long to wait before the next, milliseconds. */
const pass = async ({ executor, replica, store }: Swept): Promise<number> => {
  if (!replica.leading || replica.refusal(0) !== null) return idleMs;
  const { inFlight, waiting } = executor.load;
  const more = await sweep(executor, store);
  if (!more) return idleMs;
  return inFlight + waiting > 0 ? pauseMs.busy : pauseMs.quiet;
};

/** Removes what became another shard's by a split, bit by bit, while this member leads. Ends with the signal. */
export const sweepStrays = async (swept: Swept): Promise<void> => {
  const { log, signal } = swept;
  while (!signal.aborted) {
    const pause = await pass(swept).catch((error: unknown) => {
      log.error({ err: error }, 'split: sweeping failed; it is tried again');
      return idleMs;
    });
    await sleep(jittered(pause), undefined, { signal, ref: false }).catch(() => {});
  }
};
