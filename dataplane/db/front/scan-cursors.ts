import { randomInt } from 'node:crypto';

/** Where a SCAN goes on. */
export interface ScanPlace {
  readonly database: string | null;
  /** No key before this one is missing. A place among keys stays right when they come to lie in other shards. */
  readonly from: string;
}

const maxCursors = 10_000;

/**
 * Cursors of SCAN. Clients expect a number, and a place in a range of keys is none, so the front end remembers
 * what each number stands for. The oldest are forgotten.
 */
export class ScanCursors {
  readonly #places = new Map<string, ScanPlace>();
  #next = randomInt(1, 2 ** 40);

  add(place: ScanPlace): string {
    const [oldest] = this.#places.keys();
    if (this.#places.size >= maxCursors && oldest !== undefined) this.#places.delete(oldest);
    const cursor = String(this.#next++);
    this.#places.set(cursor, place);
    return cursor;
  }

  get(cursor: string): ScanPlace | undefined {
    return this.#places.get(cursor);
  }
}
