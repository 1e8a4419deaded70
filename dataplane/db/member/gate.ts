import { isEmptyRange } from '../../../contract/key-range.ts';
import { Locks } from '../two-phase/locks.ts';
import type { Claims } from './claims.ts';
import { holds, type KeyRange } from '../store/key-range.ts';

/**
 * - moved: a key is not in the range of this shard, or the range is another one than the asker believes
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
  /** Who else lets nobody lock more keys for now. */
  readonly pauses = new Set<symbol>();

  /** Null: not known, nothing is served. */
  set range(range: KeyRange | null) {
    this.#range = range;
    this.#unbounded = range !== null && range.start === '' && range.end === '' && range.epoch === 0;
  }

  get range(): KeyRange | null {
    return this.#range;
  }

  /** Whether every request of epoch 0 may pass. The hot path: nobody looks at keys then. */
  get open(): boolean {
    return this.#unbounded && this.locks.size === 0 && !this.#isPaused;
  }

  /** Nobody waits any more. */
  goOn(): void {
    this.waitingForAll = 0;
    this.pauses.clear();
  }

  get #isPaused(): boolean {
    return this.waitingForAll > 0 || this.pauses.size > 0;
  }

  /** What is in the way of a request. `epoch`: in which it holds; `locks`: it is going to lock its keys. */
  judge(claims: Claims, epoch: number, locks: boolean): Obstacle | null {
    const { keys, all } = claims;
    if (!isInRange(claims, this.#range, epoch)) return 'moved';
    if (locks && this.#isPaused) return 'wait';
    if (this.locks.size === 0) return null;
    return all || keys.some((key) => this.locks.has(key)) ? 'wait' : null;
  }
}

/** Whether a shard with this range (null: not known) has all that a request of an epoch is about. Pure. */
export const isInRange = ({ keys, whole }: Claims, range: KeyRange | null, epoch: number): boolean => {
  if (range === null) return false;
  if (whole && (range.epoch !== epoch || isEmptyRange(range))) return false;
  return keys.every((key) => holds(range, key));
};
