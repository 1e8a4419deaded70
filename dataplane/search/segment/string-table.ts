import { ByteList, WordList } from './growable.ts';

/** Sorted, distinct strings as one run of UTF-8 bytes; entry i lies between offsets i and i + 1. */
export class StringTable {
  readonly offsets: Uint32Array;
  readonly bytes: Buffer;
  readonly size: number;

  constructor(offsets: Uint32Array, bytes: Uint8Array) {
    this.offsets = offsets;
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.size = offsets.length - 1;
  }

  at(index: number): string {
    return this.bytes.toString('utf8', this.offsets[index], this.offsets[index + 1]);
  }

  /** The place of `value`, or -1. */
  indexOf(value: string): number {
    const wanted = Buffer.from(value, 'utf8');
    const place = this.#firstNotBelow(wanted);
    return place < this.size && this.#compare(place, wanted) === 0 ? place : -1;
  }

  /** The first entry that is `value` or above; `size` when there is none. */
  lowerBound(value: string): number {
    return this.#firstNotBelow(Buffer.from(value, 'utf8'));
  }

  /** The range [from, to) of entries that start with `prefix`. */
  prefixRange(prefix: string): { from: number; to: number } {
    const wanted = Buffer.from(prefix, 'utf8');
    const from = this.#firstNotBelow(wanted);
    let low = from;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#startsWith(middle, wanted)) low = middle + 1;
      else high = middle;
    }
    return { from, to: low };
  }

  #startsWith(index: number, prefix: Buffer): boolean {
    const start = this.offsets[index] as number;
    const end = this.offsets[index + 1] as number;
    return (
      end - start >= prefix.length && this.bytes.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0
    );
  }

  #firstNotBelow(wanted: Buffer): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(index: number, wanted: Buffer): number {
    let at = this.offsets[index] as number;
    const end = this.offsets[index + 1] as number;
    const { bytes } = this;
    for (let i = 0; i < wanted.length; i++, at++) {
      if (at === end) return -1;
      const difference = (bytes[at] as number) - (wanted[i] as number);
      if (difference !== 0) return difference;
    }
    return end - at;
  }
}

/** Writes a {@link StringTable}: values are added in their order. */
export class StringTableWriter {
  readonly #offsets = new WordList();
  readonly #bytes = new ByteList();

  constructor() {
    this.#offsets.push(0);
  }

  add(value: string): void {
    const room = value.length * 3;
    this.#bytes.reserve(room);
    const { bytes, length } = this.#bytes;
    this.#bytes.length += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).write(value, length, 'utf8');
    this.#offsets.push(this.#bytes.length);
  }

  finish(): { offsets: Uint32Array; bytes: Uint8Array } {
    return { offsets: this.#offsets.finish(), bytes: this.#bytes.finish() };
  }
}
