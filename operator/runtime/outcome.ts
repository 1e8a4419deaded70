/**
 * What a reconcile came to. Data, so that a controller's tests compare it.
 * - done: as desired; wakes on the next event only
 * - requeue: as desired for now, look again after `afterMs` (plus or minus 10%)
 * - fail: try again with exponential back-off; logged, counted
 * - terminal: retrying cannot help until the object changes; logged, counted, not requeued
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'requeue'; readonly afterMs: number; readonly reason?: string }
  | { readonly kind: 'fail'; readonly error: unknown }
  | { readonly kind: 'terminal'; readonly error: unknown };

export const done: Outcome = { kind: 'done' };

export function requeueAfter(afterMs: number, reason?: string): Outcome {
  return reason === undefined ? { kind: 'requeue', afterMs } : { kind: 'requeue', afterMs, reason };
}

export function fail(error: unknown): Outcome {
  return { kind: 'fail', error };
}

export function terminal(error: unknown): Outcome {
  return { kind: 'terminal', error };
}
