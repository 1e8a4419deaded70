import type { EffectTarget } from './effects.ts';
import type { Row } from './row.ts';

/** Rough cost of an entry beyond its bytes. */
const entryBytes = 200;

/** Committed changes that are not in the file yet, newest state per key; null = removed. */
export class Layer {
  readonly rows = new Map<string, Row | null>();
  /** Nothing below this layer counts. */
  cleared = false;
  bytes = 0;

  get empty(): boolean {
    return this.rows.size === 0 && !this.cleared;
  }

  set(key: string, row: Row | null): void {
    this.rows.set(key, row);
    this.bytes += entryBytes + key.length + (row?.value.length ?? 0);
  }

  clear(): void {
    this.rows.clear();
    this.cleared = true;
  }
}

/** Applies effects of one log entry to the top layer of a store. */
export const layerTarget = (layer: Layer, version: number, get: (key: string) => Row | undefined): EffectTarget => ({
  put: (key, value, expireAt) => layer.set(key, { value, expireAt, version }),
  remove: (key) => layer.set(key, null),
  expire: (key, expireAt) => {
    const row = get(key);
    if (row) layer.set(key, { value: row.value, expireAt, version });
  },
  clear: () => layer.clear(),
});
