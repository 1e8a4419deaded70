import { pointFrequency, pointLength, impactPoints } from '../segment/impact.ts';
import type { PostingsCursor } from '../segment/postings-cursor.ts';
import { type Norm, scoreQuantum, termScore } from './bm25.ts';

/** Upper bounds of one term's scores, block by block, computed when first asked for. */
export class BlockBounds {
  readonly #cursor: PostingsCursor;
  readonly #weight: number;
  readonly #norm: Norm;
  readonly #bounds: Float64Array;
  #first = 0;

  constructor(cursor: PostingsCursor, weight: number, norm: Norm) {
    this.#cursor = cursor;
    this.#weight = weight;
    this.#norm = norm;
    this.#bounds = new Float64Array(cursor.blocks).fill(-1);
  }

  ofBlock(block: number): number {
    let bound = this.#bounds[block] as number;
    if (bound < 0) {
      bound = this.#compute(block) + scoreQuantum;
      this.#bounds[block] = bound;
    }
    return bound;
  }

  /** The bound of documents in [base, end). Ranges are asked for in ascending order. */
  ofRange(base: number, end: number): number {
    const cursor = this.#cursor;
    while (this.#first < cursor.blocks && cursor.lastDoc(this.#first) < base) this.#first++;
    let bound = 0;
    for (let block = this.#first; block < cursor.blocks; block++) {
      if (block > this.#first && cursor.lastDoc(block - 1) + 1 >= end) break;
      bound = Math.max(bound, this.ofBlock(block));
    }
    return bound;
  }

  #compute(block: number): number {
    let bound = 0;
    for (let i = 0; i < impactPoints; i++) {
      const point = this.#cursor.impact(block, i);
      if (point === null) return this.#exact();
      if (point !== 0)
        bound = Math.max(bound, termScore(this.#weight, pointFrequency(point), pointLength(point), this.#norm));
    }
    return bound;
  }

  /** A term with few postings: the highest of its scores. */
  #exact(): number {
    const cursor = this.#cursor;
    cursor.load(0);
    let bound = 0;
    for (let i = 0; i < cursor.count; i++) {
      const length = this.#norm.lengths?.[cursor.docs[i] as number] ?? 0;
      bound = Math.max(bound, termScore(this.#weight, cursor.frequencies[i] as number, length, this.#norm));
    }
    return bound;
  }
}
