/** Time as the runtime sees it. Injected, so that tests own it. */
export interface Clock {
  /** Monotonic, ms. For durations. */
  now(): number;
  /** ms since the epoch. For timestamps in objects. */
  wall(): number;
  /** Calls `run` once after `ms`; returns the cancel. */
  timer(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  timer(ms, run) {
    const handle = setTimeout(run, ms);
    return () => clearTimeout(handle);
  },
};

/** Resolves after `ms`, or at once when the signal fires. Never rejects. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const cancel = clock.timer(ms, finish);
    function finish(): void {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    }
    signal?.addEventListener('abort', finish, { once: true });
  });
}
