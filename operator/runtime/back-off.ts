/** Bounds of an exponential back-off. */
export interface BackOff {
  /** Delay after the first failure, ms. */
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The delay before attempt `failures` + 1: doubles from `minMs` to `maxMs`, and
 * is drawn from its upper half, so that many who failed together do not come back together.
 * `random` is in [0, 1).
 */
export function backOffMs(bounds: BackOff, failures: number, random: number = Math.random()): number {
  const exponent = Math.min(Math.max(0, failures - 1), 30);
  const full = Math.min(bounds.maxMs, bounds.minMs * 2 ** exponent);
  return full / 2 + (full / 2) * random;
}

/** A delay within `share` (e.g. 0.1) of `ms`, to spread periodic work. */
export function jitter(ms: number, share: number, random: number = Math.random()): number {
  return ms * (1 - share + 2 * share * random);
}
