import { PositionsReader } from '../segment/positions-reader.ts';
import type { PostingsCursor } from '../segment/postings-cursor.ts';
import { BlockBounds } from './block-bounds.ts';
import { type Norm, termScore } from './bm25.ts';
import {
  borrowWindow,
  type Clause,
  intersect,
  isEmpty,
  nextBit,
  noMoreDocs,
  type Restriction,
  returnWindow,
  type Window,
  windowSize,
} from './clause.ts';
import { phraseFrequency } from './phrase-frequency.ts';
import { TermClause } from './term-clause.ts';

/** A term of a phrase: two cursors over the same postings (one finds documents, one reads positions), and its place. */
export interface PhraseTerm {
  readonly finder: PostingsCursor;
  readonly reader: PostingsCursor;
  /** Position within the phrase. */
  readonly offset: number;
}

interface Part {
  readonly offset: number;
  readonly clause: TermClause;
  readonly cursor: PostingsCursor;
  readonly positions: PositionsReader;
  readonly bounds: BlockBounds;
}

/** Terms at given distances. Its frequency in a document is the number of places where the phrase stands. */
export class PhraseClause implements Clause {
  readonly cost: number;
  readonly #parts: readonly Part[];
  readonly #weight: number;
  readonly #norm: Norm;
  readonly #slop: number;

  constructor(terms: readonly PhraseTerm[], score: { weight: number; norm: Norm }, slop: number) {
    this.#weight = score.weight;
    this.#norm = score.norm;
    this.#slop = slop;
    this.#parts = terms
      .map(({ finder, reader, offset }) => ({
        offset,
        clause: new TermClause(finder, 0, score.norm),
        cursor: reader,
        positions: new PositionsReader(reader),
        bounds: new BlockBounds(finder, score.weight, score.norm),
      }))
      .sort((a, b) => a.clause.cost - b.clause.cost);
    this.cost = this.#parts[0]?.clause.cost ?? 0;
  }

  next(doc: number): number {
    let at = doc;
    for (const { clause } of this.#parts) {
      at = clause.next(at);
      if (at === noMoreDocs) return at;
    }
    return at;
  }

  /** A phrase is no more frequent than any of its terms. */
  bound(base: number, end: number): number {
    if (this.#weight === 0) return 0;
    let bound = Number.POSITIVE_INFINITY;
    for (const { bounds } of this.#parts) bound = Math.min(bound, bounds.ofRange(base, end));
    return bound;
  }

  collect(window: Window, { candidates, minScore }: Restriction): void {
    if (minScore > 0 && this.bound(window.base, window.end) < minScore) return;
    const found = this.#findDocuments(window.base, candidates);
    for (let offset = nextBit(found, 0); offset < windowSize; offset = nextBit(found, offset + 1)) {
      const doc = window.base + offset;
      const frequency = this.#frequency(doc);
      if (frequency === 0) continue;
      window.bits[offset >>> 5] = (window.bits[offset >>> 5] as number) | (1 << (offset & 31));
      if (this.#weight === 0) continue;
      const score = termScore(this.#weight, frequency, this.#norm.lengths?.[doc] ?? 0, this.#norm);
      window.scores[offset] = (window.scores[offset] as number) + score;
    }
  }

  /** Bits of the documents that have all terms. */
  #findDocuments(base: number, candidates: Uint32Array | null): Uint32Array {
    const scratch = borrowWindow(base);
    const found = new Uint32Array(scratch.bits.length);
    for (const [index, { clause }] of this.#parts.entries()) {
      scratch.clear(base);
      clause.collect(scratch, { candidates: index === 0 ? candidates : found, minScore: 0 });
      if (index === 0) found.set(scratch.bits);
      else intersect(found, scratch.bits);
      if (index === 0 && candidates !== null) intersect(found, candidates);
      if (isEmpty(found)) break;
    }
    returnWindow(scratch);
    return found;
  }

  #frequency(doc: number): number {
    for (const { cursor, positions } of this.#parts) {
      positions.read(cursor.advanceTo(doc));
    }
    return phraseFrequency(this.#parts, this.#slop);
  }
}
