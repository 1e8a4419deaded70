import type { LogExtent } from '../log/replicated-log.ts';

/** A replica of the set as the primary hears of it. */
export interface TrimMember {
  readonly pod: string;
  readonly alive: boolean;
  /** What its store holds even after a power cut: a sequence. */
  readonly durable: number;
}

/** The log is left alone below both. */
export const trimAbove = { entries: 50_000, bytes: 256 * 1024 * 1024 } as const;
/** Entries that stay for replicas that are a little late; at most a quarter of the log. */
export const trimMargin = 5_000;

/**
 * Up to where the log may be trimmed, or null. Every entry that goes must be durable in the stores of all live members,
 * and of two at least: with the entries gone, those stores are the only copies. What follows `held` stays: somebody
 * else has yet to read it. Pure.
 */
export function trimTarget(
  extent: LogExtent,
  members: readonly TrimMember[],
  held: number | null = null,
): number | null {
  const entries = extent.last - extent.first + 1;
  if (entries < trimAbove.entries && extent.bytes < trimAbove.bytes) return null;
  const alive = members.filter((member) => member.alive);
  if (alive.length < 2) return null;
  const durable = Math.min(...alive.map((member) => member.durable)) - Math.min(trimMargin, Math.floor(entries / 4));
  const target = held === null ? durable : Math.min(durable, held);
  return target >= extent.first ? target : null;
}
