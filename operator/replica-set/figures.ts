/** Time between two writes of figures to a status. */
export const figuresIntervalMs = 10_000;

/** True when a figure moved so far that people should see it: from or to zero, or by a twentieth. */
export const isNoticeable = (before: number | undefined, after: number): boolean => {
  if (before === undefined) return true;
  if (before === after) return false;
  if (before === 0 || after === 0) return true;
  return Math.abs(after - before) >= Math.max(1, Math.abs(before) / 20);
};

/**
 * The figures to show: new ones when they moved noticeably and the last write is long enough ago, else those shown
 * already. So a busy resource is written every ten seconds at most, and an idle one never.
 */
export const showFigures = <F extends Record<string, number>>(
  shown: Partial<F>,
  measured: F,
  sinceWriteMs: number,
): F => {
  const moved = Object.entries(measured).some(([name, value]) => isNoticeable(shown[name], value));
  const first = Object.keys(measured).some((name) => shown[name] === undefined);
  if (first || (moved && sinceWriteMs >= figuresIntervalMs)) return measured;
  return { ...measured, ...shown };
};
