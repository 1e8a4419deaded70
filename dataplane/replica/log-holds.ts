/** Somebody who reads the log says so again within this time. */
export const holdMs = 60_000;
/** A log that is larger than this is trimmed all the same, bytes: a full disk would be worse for everybody. */
const maxHeldBytes = 8 * 1024 * 1024 * 1024;

interface Hold {
  readonly after: number;
  readonly until: number;
}

/**
 * Entries of the log that somebody outside of the set has yet to read, who cannot be given a snapshot instead without
 * starting over. Known to the primary that was told only: its successor hears of it within a fraction of {@link holdMs}.
 */
export class LogHolds {
  readonly #holds = new Map<string, Hold>();

  /** `who` needs all entries after a sequence. @param now monotonic, milliseconds */
  keep(who: string, after: number, now: number): void {
    this.#holds.set(who, { after, until: now + holdMs });
  }

  release(who: string): void {
    this.#holds.delete(who);
  }

  /** The log must not be trimmed beyond this sequence; null: nobody holds it. @param bytes size of the log */
  floor(now: number, bytes: number): number | null {
    for (const [who, { until }] of this.#holds) if (until < now) this.#holds.delete(who);
    if (this.#holds.size === 0 || bytes > maxHeldBytes) return null;
    return Math.min(...[...this.#holds.values()].map(({ after }) => after));
  }
}
