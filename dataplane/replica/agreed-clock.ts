/** What one member's wall clock shows less this process's monotonic clock, milliseconds. */
export type ClockOffset = number;

/**
 * The offset that a set goes by: the middle one of its members' clocks (of an even number the lower middle one). So log
 * time moves ahead only when most clocks do, and a single clock that jumps changes nothing, the primary's own included.
 */
export function agreedOffset(own: ClockOffset, others: readonly ClockOffset[]): ClockOffset {
  const offsets = [own, ...others].toSorted((a, b) => a - b);
  return offsets[Math.floor((offsets.length - 1) / 2)] ?? own;
}
