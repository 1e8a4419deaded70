import { unpackFrom } from './bit-packing.ts';
import type { PostingsCursor } from './postings-cursor.ts';

/** Reads positions of postings of a cursor's loaded block, in any order. */
export class PositionsReader {
  readonly #cursor: PostingsCursor;
  readonly #shape = { bit: 0, count: 0, width: 0 };
  /** The positions of the posting read last, ascending; only the first `length` count. */
  positions = new Int32Array(16);
  length = 0;

  constructor(cursor: PostingsCursor) {
    this.#cursor = cursor;
  }

  /** Reads the positions of posting `index` of the loaded block. */
  read(index: number): void {
    const cursor = this.#cursor;
    cursor.loadPositionStarts();
    const count = cursor.frequencies[index] as number;
    if (this.positions.length < count) this.positions = new Int32Array(count * 2);
    const shape = this.#shape;
    shape.bit = (cursor.positionStarts[index] as number) * cursor.positionWidth;
    shape.count = count;
    shape.width = cursor.positionWidth;
    unpackFrom(cursor.words, cursor.positionsAt, shape, this.positions);
    this.length = count;
  }
}
