import { decodeNote, transactionOf } from './note.ts';

/** Keys that prepared transactions hold on a primary. Whoever else wants one waits. */
export class Locks {
  readonly #holders = new Map<string, string>();
  readonly #keys = new Map<string, readonly string[]>();

  /** Number of locked keys. */
  get size(): number {
    return this.#holders.size;
  }

  keys(): Iterable<string> {
    return this.#holders.keys();
  }

  has(key: string): boolean {
    return this.#holders.has(key);
  }

  hold(id: string, keys: readonly string[]): void {
    this.#keys.set(id, keys);
    for (const key of keys) this.#holders.set(key, id);
  }

  /** Answers whether it held any. */
  release(id: string): boolean {
    const keys = this.#keys.get(id) ?? [];
    this.#keys.delete(id);
    for (const key of keys) this.#holders.delete(key);
    return keys.length > 0;
  }

  /** As the notes of a shard say. */
  rebuild(notes: Iterable<readonly [string, Buffer]>): void {
    this.#holders.clear();
    this.#keys.clear();
    for (const [name, bytes] of notes) {
      const id = transactionOf(name);
      const note = id === null ? null : decodeNote(bytes);
      if (id !== null && note?.state === 'prepared') this.hold(id, note.keys);
    }
  }
}
