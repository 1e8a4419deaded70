import type { StoredPublication } from './stored-publication.ts';

/** Bounds of a ring; the newest message is kept whatever its size. */
export interface RingBounds {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * The last messages of a room, without a hole: it holds every message of the room with `from` < sequence <= `top`.
 * That is what makes it fit for recovery: a position at or above `from` gets exactly what it misses.
 */
export class RingBuffer {
  readonly #bounds: RingBounds;
  #items: StoredPublication[] = [];
  /** Items before this index are dropped; the array is cut when half of it is. */
  #head = 0;
  #bytes = 0;
  #from: number;
  #top: number;

  constructor(position: number, bounds: RingBounds) {
    this.#from = position;
    this.#top = position;
    this.#bounds = bounds;
  }

  /** Everything of the room after this sequence is here. */
  get from(): number {
    return this.#from;
  }

  /** The sequence up to which the ring is complete. */
  get top(): number {
    return this.#top;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Adds the room's next message; its sequence must be above `top`. */
  push(publication: StoredPublication): void {
    this.#items.push(publication);
    this.#bytes += publication.json.length;
    this.#top = publication.seq;
    while (this.length > 1 && (this.length > this.#bounds.messages || this.#bytes > this.#bounds.bytes)) this.#drop();
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Nothing of the room is stored up to this sequence beyond what was pushed. */
  advance(position: number): void {
    if (position > this.#top) this.#top = position;
  }

  /** All messages after a position, oldest first; null when the ring does not reach back that far. */
  after(position: number): readonly StoredPublication[] | null {
    if (position < this.#from) return null;
    return this.#items.slice(this.#firstAfter(position));
  }

  /** The last messages before a sequence, at most `count`, oldest first; null when the ring may not hold them all. */
  last(before: number, count: number): readonly StoredPublication[] | null {
    const end = this.#firstAfter(before - 1);
    if (end - this.#head < count) return null;
    return this.#items.slice(end - count, end);
  }

  #drop(): void {
    const dropped = this.#items[this.#head];
    if (dropped === undefined) return;
    this.#head++;
    this.#bytes -= dropped.json.length;
    this.#from = dropped.seq;
  }

  /** Index of the first item with a sequence above the position (binary search). */
  #firstAfter(position: number): number {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle]?.seq ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
