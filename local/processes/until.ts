import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError, reasonOf } from '../errors.ts';

/** Which condition to wait for, and for how long. */
export interface Wait {
  /** Completes the sentence "timed out after 5 s waiting for …". */
  readonly what: string;
  readonly timeoutMs: number;
  /** Time between two looks. */
  readonly everyMs?: number;
  /** Throws when waiting on is pointless, such as when the process has ended. */
  readonly giveUp?: () => void;
}

/**
 * Waits until `look` returns something. A look that throws counts as "not yet"; the last reason is part of the error.
 * @throws LocalError `start-failed` at the deadline.
 */
export const until = async <T>(wait: Wait, look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const deadline = performance.now() + wait.timeoutMs;
  let reason = '';
  for (;;) {
    wait.giveUp?.();
    try {
      const value = await look();
      if (value !== undefined) return value;
    } catch (error) {
      reason = `: ${reasonOf(error)}`;
    }
    if (performance.now() > deadline) {
      const seconds = Math.round(wait.timeoutMs / 1000);
      throw new LocalError('start-failed', `timed out after ${seconds} s waiting for ${wait.what}${reason}`);
    }
    await sleep(wait.everyMs ?? 50);
  }
};
