import { createHash } from 'node:crypto';
import { decodeRange, everything, holds, rangeNote, type KeyBounds } from '../store/key-range.ts';
import type { ReadState } from '../store/reading.ts';
import { firstHiddenType, generationOf, valueType, type Row } from '../store/row.ts';
import type { SnapshotRecord } from '../store/snapshot-codec.ts';

/** SHA-256 of what clients see, and how many keys that are. */
export interface Content {
  readonly hash: string;
  readonly keys: number;
}

/**
 * Collects the hash of a content from its rows in order, each followed by its elements; the shards of a database one after
 * the other. What is of the store alone is left out: versions, generations, places of lists. So a database that was
 * written anew has the same hash, also when its shards have other ranges.
 */
export class ContentHash {
  readonly #hash = createHash('sha256');
  readonly #expiredAt: number;
  readonly #head = Buffer.allocUnsafe(17);
  #keys = 0;
  #shown = false;
  #named = false;

  /** Keys that expire at `expiredAt` (milliseconds) or before are left out; 0: none is. */
  constructor(expiredAt: number) {
    this.#expiredAt = expiredAt;
  }

  row(key: string, row: Row): void {
    this.#shown = row.type < firstHiddenType && (row.expireAt === 0 || row.expireAt > this.#expiredAt);
    if (!this.#shown) return;
    this.#keys++;
    this.#named = row.type !== valueType.list;
    this.#head[0] = row.type;
    this.#head.writeDoubleBE(row.expireAt, 1);
    this.#head.writeDoubleBE(key.length, 9);
    this.#hash.update(this.#head).update(key, 'latin1');
    if (row.type === valueType.string) this.#bytes(row.value);
  }

  element(name: string, value: Buffer): void {
    if (!this.#shown) return;
    if (this.#named) this.#bytes(Buffer.from(name, 'latin1'));
    this.#bytes(value);
  }

  /** Rows of a range of a state. */
  state(state: ReadState, range: KeyBounds): void {
    for (const { key, row } of state.rows({ from: range.start, to: range.end === '' ? undefined : range.end })) {
      this.row(key, row);
      const generation = generationOf(row);
      if (generation === 0) continue;
      for (const { name, value } of state.elements(generation, {})) this.element(name, value);
    }
  }

  /** Rows of a snapshot, those that are not of its shard's own range left out; `note` is told all notes. */
  async snapshot(records: AsyncIterable<SnapshotRecord>, note: (name: string, value: Buffer) => void): Promise<void> {
    let range: KeyBounds = everything;
    let own = false;
    for await (const record of records) {
      if (record.kind === 'note') {
        if (record.name === rangeNote) range = decodeRange(record.value);
        note(record.name, record.value);
      } else if (record.kind === 'row') {
        own = holds(range, record.key);
        if (own) this.row(record.key, record.row);
      } else if (record.kind === 'element' && own) this.element(record.name, record.value);
    }
  }

  /** To be asked for once, at the end. */
  take(): Content {
    return { hash: this.#hash.digest('hex'), keys: this.#keys };
  }

  #bytes(bytes: Buffer): void {
    this.#head[0] = 255;
    this.#head.writeDoubleBE(bytes.length, 9);
    this.#hash.update(this.#head).update(bytes);
  }
}
