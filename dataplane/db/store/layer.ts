import type { EffectTarget } from './effects.ts';
import type { Row } from './row.ts';

/** Rough cost of an entry beyond its bytes. */
const entryBytes = 200;

/** Committed changes that are not in the file yet, newest state per key; null = removed. */
export class Layer {
  readonly rows = new Map<string, Row | null>();
  /** Changed notes; null = forgotten. */
  readonly notes = new Map<string, Buffer | null>();
  /** No row below this layer counts. */
  cleared = false;
  bytes = 0;

  get empty(): boolean {
    return this.rows.size === 0 && this.notes.size === 0 && !this.cleared;
  }

  set(key: string, row: Row | null): void {
    this.rows.set(key, row);
    this.bytes += entryBytes + key.length + (row?.value.length ?? 0);
  }

  setNote(name: string, value: Buffer | null): void {
    this.notes.set(name, value);
    this.bytes += entryBytes + name.length + (value?.length ?? 0);
  }

  clear(): void {
    this.rows.clear();
    this.cleared = true;
  }
}

/** What lies below a layer. */
export interface Below {
  get(key: string): Row | undefined;
  /** All notes of the store, as they are now. */
  readonly notes: Map<string, Buffer>;
}

/** Applies effects of one log entry to the top layer of a store. */
export const layerTarget = (layer: Layer, version: number, below: Below): EffectTarget => ({
  put: (key, value, expireAt) => layer.set(key, { value, expireAt, version }),
  remove: (key) => layer.set(key, null),
  expire: (key, expireAt) => {
    const row = below.get(key);
    if (row) layer.set(key, { value: row.value, expireAt, version });
  },
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
