import type { Target } from './target.ts';

/** After a new primary is known, or the shard is gone, the old one has so long to answer what it was sent, milliseconds. */
const lostGraceMs = 500;
/** After NATS is back, answers to what was sent before it went away may still come for so long, milliseconds. */
const reconnectGraceMs = 3_000;

/** What a link knows at one time. */
export interface Sight {
  /** Monotonic, milliseconds. */
  readonly now: number;
  readonly connected: boolean;
  /** Where its requests in flight went. */
  readonly target: Target | null;
  /** The present primary, as far as it is known. */
  readonly primary: Target | null;
  /** The process behind the target's name now; undefined: never heard. */
  readonly incarnation: string | undefined;
  /** Whether there is no such shard any more. */
  readonly gone: boolean;
  /** Requests sent from now on have this id or a higher one. */
  readonly nextId: number;
}

/** Decides when answers are not waited for any more. */
export class Loss {
  /** Since when another primary is known; 0: it is not. */
  #deposedSince = 0;
  /** Answers to requests before this id may have been lost with the connection; from then on they are not waited for. */
  #doubtful = { before: 0, at: Infinity };
  #wasConnected = true;

  /** Requests go to another member from now on. */
  retargeted(): void {
    this.#deposedSince = 0;
  }

  /** Requests in flight with lower ids will not be answered; 0: none that one could tell. */
  before(sight: Sight): number {
    const cut = this.#cutBefore(sight);
    return this.#isLost(sight) ? sight.nextId : cut;
  }

  /** Whether the member that was asked will not answer any more. */
  #isLost({ now, target, primary, incarnation, gone }: Sight): boolean {
    if (target === null || (incarnation ?? target.incarnation) !== target.incarnation) return true;
    if (!gone && (primary === null || primary.term <= target.term)) return false;
    if (this.#deposedSince === 0) this.#deposedSince = now;
    return now - this.#deposedSince >= lostGraceMs;
  }

  #cutBefore({ now, connected, nextId }: Sight): number {
    if (connected && !this.#wasConnected) this.#doubtful = { before: nextId, at: now + reconnectGraceMs };
    this.#wasConnected = connected;
    if (now < this.#doubtful.at) return 0;
    const { before } = this.#doubtful;
    this.#doubtful = { before: 0, at: Infinity };
    return before;
  }
}
