import { isUtf8 } from 'node:buffer';
import { setImmediate as turn } from 'node:timers/promises';
import type { Store } from '../store/store.ts';
import { decodeHead } from '../store/head.ts';
import { decodeRow, generationOf } from '../store/row.ts';
import { textOfKey } from '../store/key-range.ts';

/** Longest border, characters: it is in the spec of a resource. */
const maxBorderCharacters = 256;
/** Candidates that are remembered at most; with half of them left the border is within half a percent of the middle. */
const maxCandidates = 512;
/** About what an element costs to copy, bytes: they are not looked at one by one. */
const elementBytes = 64;
/** Rows that are looked at before others have their turn. */
const slice = 1_000;

interface Candidate {
  readonly key: string;
  /** Of all keys before it. */
  readonly weight: number;
}

/** Whether a key could be the border of a range: resources hold text. */
const isText = (key: string): boolean =>
  isUtf8(Buffer.from(key, 'latin1')) && textOfKey(key).length <= maxBorderCharacters;

/** Finds the key that leaves about the same weight on both sides, in one pass over keys in their order. */
export class Middle {
  #candidates: Candidate[] = [];
  #weight = 0;
  /** Every so many keys one is remembered. */
  #stride = 1;
  #seen = 0;

  add(key: string, weight: number): void {
    if (this.#weight > 0 && isText(key) && this.#seen++ % this.#stride === 0) {
      this.#candidates.push({ key, weight: this.#weight });
    }
    this.#weight += weight;
    if (this.#candidates.length < maxCandidates) return;
    this.#candidates = this.#candidates.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /** Null: no key could be the border. There is always a key before it. */
  get border(): string | null {
    const half = this.#weight / 2;
    const off = ({ weight }: Candidate): number => Math.abs(weight - half);
    const best = this.#candidates.reduce<Candidate | null>(
      (found, candidate) => (found === null || off(candidate) < off(found) ? candidate : found),
      null,
    );
    return best?.key ?? null;
  }
}

/** A key near the middle of a shard, by the bytes that it holds; null: there is none. Takes a turn now and then. */
export const middleKey = async (store: Pick<Store, 'flush' | 'file' | 'own'>): Promise<string | null> => {
  await store.flush();
  const reader = store.file.reader();
  const middle = new Middle();
  let rows = 0;
  try {
    for (const { key, record } of reader.state.records(store.own({}))) {
      const row = decodeRow(record);
      const elements = generationOf(row) === 0 ? 0 : decodeHead(row.value).count;
      middle.add(key, key.length + record.length + elements * elementBytes);
      if (++rows % slice === 0) await turn();
    }
    return middle.border;
  } finally {
    reader.close();
  }
};
