import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats a check until it throws no more; throws its last error after `timeoutMs`. */
export const eventually = async <T>(check: () => Promise<T>, timeoutMs: number, everyMs = 250): Promise<T> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(everyMs);
    }
  }
};
