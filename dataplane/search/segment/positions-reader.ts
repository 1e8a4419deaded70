import type { PostingsCursor } from './postings-cursor.ts';

/** Reads positions of postings of a cursor's loaded block, in ascending order of their index. */
export class PositionsReader {
  readonly #cursor: PostingsCursor;
  #block = -1;
  #index = 0;
  #at = 0;
  /** The positions of the posting read last; only the first `length` count. */
  positions = new Int32Array(16);
  length = 0;

  constructor(cursor: PostingsCursor) {
    this.#cursor = cursor;
  }

  /** Reads the positions of posting `index` of the loaded block. */
  read(index: number): void {
    const cursor = this.#cursor;
    cursor.loadFrequencies();
    if (this.#block !== cursor.block || index < this.#index) {
      this.#block = cursor.block;
      this.#index = 0;
      this.#at = cursor.positionsOfBlock();
    }
    while (this.#index < index) this.#skip(cursor.frequencies[this.#index++] as number);
    this.#decode(cursor.frequencies[index] as number);
    this.#index++;
  }

  #skip(count: number): void {
    const bytes = this.#cursor.positionBytes;
    let left = count;
    while (left > 0) if ((bytes[this.#at++] as number) < 0x80) left--;
  }

  #decode(count: number): void {
    if (this.positions.length < count) this.positions = new Int32Array(count * 2);
    const bytes = this.#cursor.positionBytes;
    let at = this.#at;
    let position = 0;
    for (let i = 0; i < count; i++) {
      let shift = 0;
      let byte = bytes[at++] as number;
      let difference = byte & 0x7f;
      while (byte >= 0x80) {
        shift += 7;
        byte = bytes[at++] as number;
        difference |= (byte & 0x7f) << shift;
      }
      position += difference;
      this.positions[i] = position;
    }
    this.#at = at;
    this.length = count;
  }

  /** The encoded positions of posting `index`, for a copy. */
  raw(index: number): Uint8Array {
    const cursor = this.#cursor;
    cursor.loadFrequencies();
    if (this.#block !== cursor.block || index < this.#index) {
      this.#block = cursor.block;
      this.#index = 0;
      this.#at = cursor.positionsOfBlock();
    }
    while (this.#index < index) this.#skip(cursor.frequencies[this.#index++] as number);
    const from = this.#at;
    this.#skip(cursor.frequencies[index] as number);
    this.#index++;
    return cursor.positionBytes.subarray(from, this.#at);
  }
}
