import type { PostingsCursor } from '../segment/postings-cursor.ts';
import { BlockBounds } from './block-bounds.ts';
import { type Norm, quantize } from './bm25.ts';
import { type Clause, hasBit, nextBit, type Restriction, type Window } from './clause.ts';

const noLengths = new Uint32Array(0);

/** One term, scored by BM25; with weight 0 it only matches. */
export class TermClause implements Clause {
  readonly cost: number;
  readonly #cursor: PostingsCursor;
  readonly #weight: number;
  readonly #norm: Norm;
  readonly #bounds: BlockBounds;

  constructor(cursor: PostingsCursor, weight: number, norm: Norm) {
    this.cost = cursor.df;
    this.#cursor = cursor;
    this.#weight = weight;
    this.#norm = norm;
    this.#bounds = new BlockBounds(cursor, weight, norm);
  }

  next(doc: number): number {
    return this.#cursor.firstFrom(doc);
  }

  bound(base: number, end: number): number {
    return this.#weight === 0 ? 0 : this.#bounds.ofRange(base, end);
  }

  collect(window: Window, { candidates, minScore }: Restriction): void {
    const cursor = this.#cursor;
    const { base, end } = window;
    const prunes = minScore > 0 && this.#weight > 0;
    for (let block = cursor.seek(base); block < cursor.blocks; block++) {
      const from = block === 0 ? base : Math.max(base, cursor.lastDoc(block - 1) + 1);
      if (from >= end) return;
      const last = cursor.lastDoc(block);
      const wanted =
        (candidates === null || base + nextBit(candidates, from - base) <= Math.min(last, end - 1)) &&
        !(prunes && this.#bounds.ofBlock(block) < minScore);
      if (!wanted) continue;
      cursor.load(block);
      if (candidates === null) this.#collectAll(window, from);
      else this.#collectFrom(window, from, candidates);
    }
  }

  #collectAll(window: Window, from: number): void {
    const { base, end, bits, scores } = window;
    const { docs, count } = this.#cursor;
    let i = from === base ? this.#cursor.indexFrom(base) : 0;
    if (this.#weight === 0) {
      for (let doc; i < count && (doc = docs[i] as number) < end; i++) {
        const offset = doc - base;
        bits[offset >>> 5] = (bits[offset >>> 5] as number) | (1 << (offset & 31));
      }
      return;
    }
    this.#cursor.loadFrequencies();
    const { frequencies } = this.#cursor;
    const { constant, perLength } = this.#norm;
    const lengths = this.#norm.lengths ?? noLengths;
    const flat = this.#norm.lengths === null;
    const weight = this.#weight;
    for (let doc; i < count && (doc = docs[i] as number) < end; i++) {
      const offset = doc - base;
      const frequency = frequencies[i] as number;
      const length = flat ? 0 : (lengths[doc] as number);
      bits[offset >>> 5] = (bits[offset >>> 5] as number) | (1 << (offset & 31));
      scores[offset] =
        (scores[offset] as number) + quantize(weight * (frequency / (frequency + constant + perLength * length)));
    }
  }

  #collectFrom(window: Window, from: number, candidates: Uint32Array): void {
    const { base, end, bits, scores } = window;
    const cursor = this.#cursor;
    if (this.#weight !== 0) cursor.loadFrequencies();
    const { docs, count, frequencies } = cursor;
    const { constant, perLength, lengths } = this.#norm;
    for (let i = cursor.indexFrom(from), doc; i < count && (doc = docs[i] as number) < end; i++) {
      const offset = doc - base;
      if (!hasBit(candidates, offset)) continue;
      bits[offset >>> 5] = (bits[offset >>> 5] as number) | (1 << (offset & 31));
      if (this.#weight === 0) continue;
      const frequency = frequencies[i] as number;
      const length = lengths === null ? 0 : (lengths[doc] as number);
      scores[offset] =
        (scores[offset] as number) + quantize(this.#weight * (frequency / (frequency + constant + perLength * length)));
    }
  }
}
