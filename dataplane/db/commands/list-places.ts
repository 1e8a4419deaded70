import { DbError } from '../db-error.ts';
import { valueType } from '../store/row.ts';
import { Collection } from './collection.ts';
import type { View } from './view.ts';

/** Where the first element of a new list lies: in the middle of all places. */
const middle = 2 ** 52;

/** Name of the element at a place: eight bytes in the order of the places. */
const placeName = (place: number): string => {
  const [high, low] = [Math.floor(place / 2 ** 32), place >>> 0];
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 255,
    (high >>> 8) & 255,
    high & 255,
    low >>> 24,
    (low >>> 16) & 255,
    (low >>> 8) & 255,
    low & 255,
  );
};

/** A list, for one command. Its elements lie at places one after another, so each is reached by its index. */
export class List {
  readonly #collection: Collection;

  /** @throws DbError WRONGTYPE */
  constructor(view: View, key: string) {
    this.#collection = new Collection(view, key, valueType.list);
    if (!this.#collection.existed) this.#collection.first = middle;
  }

  get existed(): boolean {
    return this.#collection.existed;
  }

  get length(): number {
    return this.#collection.count;
  }

  /** The element at an index, which has to be there. */
  at(index: number): Buffer {
    const value = this.#collection.get(placeName(this.#collection.first + index));
    if (value === undefined) throw new DbError('ERR', 'a list has a hole; please report this');
    return value;
  }

  set(index: number, value: Buffer): void {
    this.#collection.set(placeName(this.#collection.first + index), value);
  }

  push(end: 'LEFT' | 'RIGHT', value: Buffer): void {
    if (end === 'LEFT' && this.length > 0) this.#collection.first--;
    this.#collection.count++;
    this.set(end === 'LEFT' ? 0 : this.length - 1, value);
  }

  pop(end: 'LEFT' | 'RIGHT'): Buffer {
    const index = end === 'LEFT' ? 0 : this.length - 1;
    const value = Buffer.from(this.at(index));
    this.#drop(index);
    if (end === 'LEFT') this.#collection.first++;
    this.#collection.count--;
    return value;
  }

  /** Keeps the elements of `[from, to)`. What costs less: to remove the others, or to write these anew. */
  keep(from: number, to: number): void {
    const kept = Math.max(0, to - from);
    if (kept < this.length - kept) return this.replace(this.slice(from, to));
    for (let i = this.length - 1; i >= to; i--) this.#drop(i);
    for (let i = 0; i < from; i++) this.#drop(i);
    this.#collection.first += from;
    this.#collection.count = kept;
  }

  slice(from: number, to: number): Buffer[] {
    return Array.from(this.values(from, to), (value) => Buffer.from(value));
  }

  /** The elements of `[from, to)`, which have to be there; each holds until the next is asked for. */
  *values(from: number, to: number): Generator<Buffer> {
    if (to <= from) return;
    const { first } = this.#collection;
    const range = { from: placeName(first + from), to: placeName(first + to) };
    for (const { value } of this.#collection.range(range)) yield value;
  }

  /** Inserts before an index, by moving the shorter side. */
  insert(index: number, value: Buffer): void {
    if (index < this.length / 2) {
      this.#collection.first--;
      for (let i = 0; i < index; i++) this.set(i, Buffer.from(this.at(i + 1)));
    } else {
      for (let i = this.length; i > index; i--) this.set(i, Buffer.from(this.at(i - 1)));
    }
    this.#collection.count++;
    this.set(index, value);
  }

  /** Makes these its elements, in a new collection. */
  replace(values: readonly Buffer[]): void {
    this.#collection.reset();
    this.#collection.first = middle;
    this.#collection.count = values.length;
    for (const [i, value] of values.entries()) this.set(i, value);
  }

  save(): void {
    this.#collection.save();
  }

  #drop(index: number): void {
    this.#collection.remove(placeName(this.#collection.first + index));
  }
}

/** The bounds of a range of indexes, negative ones counted from the end: `[from, to)`, cut to the list. */
export const indexRange = (start: number, stop: number, length: number): { from: number; to: number } => {
  const from = Math.max(0, start < 0 ? length + start : start);
  const to = Math.min(length, (stop < 0 ? length + stop : stop) + 1);
  return { from: Math.min(from, length), to: Math.max(to, Math.min(from, length)) };
};
