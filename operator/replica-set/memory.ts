import type { CommandInFlight } from '../replicas/view.ts';

/** A replica that refused to lead is asked last for this time. */
const refusedMs = 3000;
/** Elections count for this time when it is decided how soon the next one may be. */
const electionMs = 60_000;

/**
 * What the operator remembers of one replica set between reconciles: commands whose outcome status does not show yet.
 * Losing it is safe: heartbeats and the log tell the same, a little later.
 */
export class SetMemory {
  readonly #now: () => number;
  readonly #refused = new Map<string, number>();
  #elections: number[] = [];
  inFlight: CommandInFlight | null = null;
  promoted: { readonly pod: string; readonly term: number; readonly at: number } | null = null;
  /** Highest term that an answer told of. */
  seenTerm = 0;
  /** Commands in a row that did not succeed. */
  failures = 0;
  /** Number after the last replica that was made. */
  nextNumber = 0;
  /** Pods whose names others have. */
  readonly foreignPods = new Set<string>();
  /** When figures were last written to status. */
  figuresAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  refuse(pod: string): void {
    this.#refused.set(pod, this.#now() + refusedMs);
  }

  isRefused(pod: string): boolean {
    const until = this.#refused.get(pod);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    this.#refused.delete(pod);
    return false;
  }

  setPromoted(pod: string, term: number): void {
    this.promoted = { pod, term, at: this.#now() };
    this.seenTerm = Math.max(this.seenTerm, term);
  }

  /** A replica was elected that nobody had planned to lead. */
  noteElection(): void {
    this.#elections.push(this.#now());
  }

  /** Ages of the elections of the last minute, ms. */
  elections(): number[] {
    const now = this.#now();
    this.#elections = this.#elections.filter((at) => now - at < electionMs);
    return this.#elections.map((at) => now - at);
  }

  /** A promotion was answered less than `withinMs` ago. */
  isSettling(withinMs: number): boolean {
    return this.promoted !== null && this.#now() - this.promoted.at < withinMs;
  }
}
