import type { EffectTarget } from './effects.ts';
import { OrderedMap } from './ordered-map.ts';
import { generationOf, type Row } from './row.ts';

/** Rough cost of an entry beyond its bytes. */
const entryBytes = 200;

/** Committed changes that are not in the file yet, newest state per key and element; null = removed. */
export class Layer {
  readonly rows = new OrderedMap<Row | null>();
  /** By generation, then by name. */
  readonly elements = new Map<number, OrderedMap<Buffer | null>>();
  /** Changed notes; null = forgotten. */
  readonly notes = new Map<string, Buffer | null>();
  /** Generations that a row of this layer had and has no longer; another row may have them, after RENAME. */
  readonly left = new Set<number>();
  /** Highest generation that was given away in this layer. */
  generation = 0;
  /** No row below this layer counts. */
  cleared = false;
  bytes = 0;
  /** Rows and elements that were set or removed. */
  writes = 0;

  get empty(): boolean {
    return this.rows.size === 0 && this.elements.size === 0 && this.notes.size === 0 && !this.cleared;
  }

  set(key: string, row: Row | null): void {
    const generation = generationOf(row);
    if (this.generation < generation) this.generation = generation;
    // Layers without collections are not asked what a row was before.
    if (this.elements.size > 0) this.#leave(key, generation);
    this.rows.set(key, row);
    this.writes++;
    this.bytes += entryBytes + key.length + (row?.value.length ?? 0);
  }

  setElement(generation: number, name: string, value: Buffer | null): void {
    if (this.generation < generation) this.generation = generation;
    let table = this.elements.get(generation);
    if (!table) {
      table = new OrderedMap();
      this.elements.set(generation, table);
    }
    table.set(name, value);
    this.writes++;
    this.bytes += entryBytes + name.length + (value?.length ?? 0);
  }

  setNote(name: string, value: Buffer | null): void {
    this.notes.set(name, value);
    this.bytes += entryBytes + name.length + (value?.length ?? 0);
  }

  clear(): void {
    this.rows.clear();
    this.elements.clear();
    this.left.clear();
    this.cleared = true;
  }

  #leave(key: string, generation: number): void {
    const before = generationOf(this.rows.get(key));
    if (before !== 0 && before !== generation) this.left.add(before);
  }
}

/** What a layer lies upon. */
export interface Below {
  /** The row of a key, with the layer. */
  get(key: string): Row | undefined;
  /** All notes of the store, as they are now. */
  readonly notes: Map<string, Buffer>;
}

/** Applies effects of one log entry to a layer. */
export const layerTarget = (layer: Layer, version: number, below: Below): EffectTarget => ({
  put: (key, value, expireAt, type) => layer.set(key, { type, value, expireAt, version }),
  remove: (key) => layer.set(key, null),
  expire: (key, expireAt) => {
    const row = below.get(key);
    if (row) layer.set(key, { type: row.type, value: row.value, expireAt, version });
  },
  element: (generation, name, value) => layer.setElement(generation, name, value),
  clear: () => layer.clear(),
  note: (name, value) => {
    // A note lives long; what it came in is a buffer with much else.
    const own = Buffer.from(value);
    below.notes.set(name, own);
    layer.setNote(name, own);
  },
  forget: (name) => {
    below.notes.delete(name);
    layer.setNote(name, null);
  },
});
