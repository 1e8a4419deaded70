/** A mean over the last minutes: what is older weighs less and less. */
class Mean {
  #sum = 0;
  #weight = 0;

  take(value: number, forMs: number, overMs: number): void {
    const kept = Math.exp(-forMs / overMs);
    this.#sum = this.#sum * kept + value * forMs;
    this.#weight = this.#weight * kept + forMs;
  }

  get value(): number {
    return this.#weight === 0 ? 0 : this.#sum / this.#weight;
  }
}

/** Work of a set's primary, and of a follower, per second. */
export interface Work {
  readonly leader: number;
  readonly follower: number;
}

interface Watched {
  readonly leader: Mean;
  readonly follower: Mean;
  readonly since: number;
  at: number;
}

/** No sample counts for longer: a set that was away for an hour did not work for an hour. */
const longestMs = 15_000;

/**
 * What each set does, over the last minutes. It is kept by role, not by pod: after a change of the primary the work of
 * its node is known at once, and nothing has to be learned anew.
 */
export class SmoothedWork {
  readonly #overMs: number;
  readonly #watched = new Map<string, Watched>();

  constructor(overMs: number) {
    this.#overMs = overMs;
  }

  /** Takes what a set does now. Times are ms. */
  take(set: string, work: Work, now: number): void {
    const known = this.#watched.get(set) ?? { leader: new Mean(), follower: new Mean(), since: now, at: now };
    const forMs = Math.min(longestMs, now - known.at);
    known.leader.take(work.leader, forMs, this.#overMs);
    known.follower.take(work.follower, forMs, this.#overMs);
    known.at = now;
    this.#watched.set(set, known);
  }

  /** Null: it was not watched for long enough. */
  of(set: string, now: number): Work | null {
    const known = this.#watched.get(set);
    if (known === undefined || now - known.since < this.#overMs / 2) return null;
    return { leader: known.leader.value, follower: known.follower.value };
  }

  /** Forgets all sets but these. */
  keep(sets: ReadonlySet<string>): void {
    for (const set of this.#watched.keys()) if (!sets.has(set)) this.#watched.delete(set);
  }
}
