/** How long a primary may read locally after it sent an append that was acknowledged, milliseconds. */
export const leaseMs = 1_000;
/** A new primary waits a little longer than that: clocks may differ in speed by this factor. */
const driftFactor = 1.05;

/**
 * The right of a primary to answer reads from its own store. It comes from the log: an append of its term that was
 * acknowledged proves that nobody else led when it was SENT, and the next primary keeps its acknowledgements and reads
 * back until the lease has run out ({@link withholdUntil}). All times are monotonic milliseconds of one process.
 */
export class Lease {
  #until = Number.NEGATIVE_INFINITY;

  /** An append of the own term, sent at `sentAt`, is known to be in the log where it counts. */
  extend(sentAt: number): void {
    this.#until = Math.max(this.#until, sentAt + leaseMs);
  }

  holds(now: number): boolean {
    return now < this.#until;
  }

  /** Milliseconds left, not below 0. */
  left(now: number): number {
    return Math.max(0, this.#until - now);
  }

  drop(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }
}

/** What a new primary knows about the one before it, at the time its TERM entry is in the log. */
export interface Predecessor {
  /** Term before the new one; 0 = there was none. */
  readonly term: number;
  /** It gave its lease up in the log. */
  readonly resigned: boolean;
  /**
   * When this process first saw the last entry before its TERM. The old primary's lease counts from when it sent an
   * entry that is in the log before the TERM, so not from later than this.
   */
  readonly lastSeenAt: number;
}

/** Until when a new primary must not acknowledge, nor answer reads. */
export const withholdUntil = (predecessor: Predecessor): number =>
  predecessor.term === 0 || predecessor.resigned
    ? Number.NEGATIVE_INFINITY
    : predecessor.lastSeenAt + leaseMs * driftFactor;
