import { Locks } from '../two-phase/locks.ts';
import type { Claims } from './claims.ts';
import { holds, type KeyRange } from '../store/key-range.ts';

/**
 * - moved: a key is not in the range of this shard
 * - wait: a prepared transaction holds a key
 */
export type Obstacle = 'moved' | 'wait';

/** What keeps a request from being carried out on a primary. */
export class Gate {
  readonly locks = new Locks();
  #range: KeyRange | null = null;
  #unbounded = true;
  /** Requests for the whole shard that wait: nobody may lock more keys before they had their turn. */
  waitingForAll = 0;

  /** Null: not known, nothing is served. */
  set range(range: KeyRange | null) {
    this.#range = range;
    this.#unbounded = range !== null && range.start === '' && range.end === '';
  }

  get range(): KeyRange | null {
    return this.#range;
  }

  /** Whether every request may pass. The hot path: nobody looks at keys then. */
  get open(): boolean {
    return this.#unbounded && this.locks.size === 0 && this.waitingForAll === 0;
  }

  /** What is in the way of a request; `locks`: it is going to lock its keys. */
  judge({ keys, all }: Claims, locks: boolean): Obstacle | null {
    const range = this.#range;
    if (range === null) return 'moved';
    if (!this.#unbounded && keys.some((key) => !holds(range, key))) return 'moved';
    if (locks && this.waitingForAll > 0) return 'wait';
    if (this.locks.size === 0) return null;
    return all || keys.some((key) => this.locks.has(key)) ? 'wait' : null;
  }
}
