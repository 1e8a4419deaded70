/** How long to wait before a container is started again, and how to know that it is well. */
export interface BackOff {
  /** Wait of the second restart in a row; the first comes at once. */
  readonly firstMs: number;
  readonly limitMs: number;
  /** A run of this length forgets the failures before it. */
  readonly forgetAfterMs: number;
}

/** Shorter than Kubernetes' (10 s to 5 min): here a person watches. */
export const containerBackOff: BackOff = { firstMs: 1000, limitMs: 30_000, forgetAfterMs: 30_000 };

/**
 * The next wait, from the last one and the length of the run that just ended: 0, then `firstMs`, doubling to `limitMs`.
 * `previousMs` is undefined before the first restart.
 */
export const nextDelay = (
  previousMs: number | undefined,
  ranMs: number,
  backOff: BackOff = containerBackOff,
): number => {
  if (previousMs === undefined || ranMs >= backOff.forgetAfterMs) return 0;
  return Math.min(Math.max(previousMs * 2, backOff.firstMs), backOff.limitMs);
};
