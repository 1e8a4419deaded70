import { Fifo } from '../../fabric/fifo.ts';
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
  readonly #items = new Fifo<StoredPublication>();
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
    return this.#items.length;
  }

  /** Adds the room's next message; its sequence must be above `top`. */
  push(publication: StoredPublication): void {
    this.#items.push(publication);
    this.#bytes += publication.json.length;
    this.#top = publication.seq;
    while (this.length > 1 && (this.length > this.#bounds.messages || this.#bytes > this.#bounds.bytes)) this.#drop();
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
    if (end < count) return null;
    return this.#items.slice(end - count, end);
  }

  #drop(): void {
    const dropped = this.#items.shift();
    if (dropped === undefined) return;
    this.#bytes -= dropped.json.length;
    this.#from = dropped.seq;
  }

  /** Place of the first item with a sequence above the position. */
  #firstAfter(position: number): number {
    return this.#items.lowerBound(({ seq }) => seq <= position);
  }
}
