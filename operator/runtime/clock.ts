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

/** True when `work` has settled within `ms`; leaves no timer behind. Never rejects. */
export async function settlesWithin(clock: Clock, work: Promise<unknown>, ms: number): Promise<boolean> {
  const settled = new AbortController();
  const ended = work.then(
    () => settled.abort(),
    () => settled.abort(),
  );
  await Promise.race([ended, pause(clock, ms, settled.signal)]);
  return settled.signal.aborted;
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
