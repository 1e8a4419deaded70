import { PositionsReader } from '../segment/positions-reader.ts';
import type { PostingsCursor } from '../segment/postings-cursor.ts';
import { BlockBounds } from './block-bounds.ts';
import { type Norm, scoreQuantum, termScore } from './bm25.ts';
import { type Clause, hasBit, nextBit, noMoreDocs, type Restriction, type Window } from './clause.ts';
import { phraseFrequency } from './phrase-frequency.ts';

/** A term of a phrase and its place. */
export interface PhraseTerm {
  readonly cursor: PostingsCursor;
  /** Position within the phrase. */
  readonly offset: number;
}

interface Part extends PhraseTerm {
  readonly positions: PositionsReader;
  readonly bounds: BlockBounds;
  /** Index, in its cursor's block, of the document at hand. */
  index: number;
}

/**
 * Terms at given distances. Its frequency in a document is the number of places where the phrase stands; see
 * {@link phraseFrequency}.
 */
export class PhraseClause implements Clause {
  readonly cost: number;
  /** The rarest term first: its documents are tried one by one. */
  readonly #lead: Part;
  readonly #others: readonly Part[];
  readonly #parts: readonly Part[];
  /** In the order in which they are counted: with slop, as the phrase has them, so that segments do not differ. */
  readonly #counted: readonly Part[];
  /** Those than which the phrase is no more frequent. */
  readonly #limiting: readonly Part[];
  readonly #weight: number;
  readonly #norm: Norm;
  readonly #slop: number;

  /** `terms`: at least one. */
  constructor(terms: readonly [PhraseTerm, ...PhraseTerm[]], score: { weight: number; norm: Norm }, slop: number) {
    this.#weight = score.weight;
    this.#norm = score.norm;
    this.#slop = slop;
    const parts = terms.map(({ cursor, offset }): Part => ({
      cursor,
      offset,
      positions: new PositionsReader(cursor),
      bounds: new BlockBounds(cursor, score.weight, score.norm),
      index: 0,
    }));
    this.#parts = parts.toSorted((a, b) => a.cursor.df - b.cursor.df);
    this.#lead = this.#parts[0] as Part;
    this.#others = this.#parts.slice(1);
    this.#counted = slop === 0 ? this.#parts : parts;
    this.#limiting = slop === 0 ? this.#parts : parts.slice(0, 1);
    this.cost = this.#lead.cursor.df;
  }

  next(doc: number): number {
    let at = doc;
    for (const { cursor } of this.#parts) {
      at = cursor.firstFrom(at);
      if (at === noMoreDocs) return at;
    }
    return at;
  }

  bound(base: number, end: number): number {
    if (this.#weight === 0) return 0;
    let bound = Number.POSITIVE_INFINITY;
    for (const { bounds } of this.#limiting) bound = Math.min(bound, bounds.ofRange(base, end));
    return bound;
  }

  collect(window: Window, { candidates, minScore }: Restriction): void {
    const { base, end } = window;
    const least = this.#weight === 0 ? 0 : minScore;
    if (this.bound(base, end) < least) return;
    const { cursor } = this.#lead;
    for (let block = cursor.seek(base); block < cursor.blocks; block++) {
      const from = block === 0 ? base : Math.max(base, cursor.lastDoc(block - 1) + 1);
      if (from >= end) return;
      if (candidates !== null && base + nextBit(candidates, from - base) > cursor.lastDoc(block)) continue;
      if (this.#boundOfBlock(block) < least) continue;
      cursor.load(block);
      this.#collectBlock(window, from, { candidates, minScore: least });
    }
  }

  /** Of a block of the lead. */
  #boundOfBlock(block: number): number {
    return this.#weight > 0 && this.#slop === 0 ? this.#lead.bounds.ofBlock(block) : Number.POSITIVE_INFINITY;
  }

  /** Tries the documents at or after `from` of the lead's loaded block: the cheapest reason to leave one out comes first. */
  #collectBlock(window: Window, from: number, { candidates, minScore }: Restriction): void {
    const { base, end } = window;
    const { cursor } = this.#lead;
    cursor.loadFrequencies();
    const { docs, frequencies, count } = cursor;
    for (let i = cursor.indexFrom(from), doc; i < count && (doc = docs[i] as number) < end; i++) {
      if (candidates !== null && !hasBit(candidates, doc - base)) continue;
      if (this.#below(doc, frequencies[i] as number, minScore)) continue;
      this.#lead.index = i;
      if (this.#findOthers(doc, minScore)) this.#match(window, doc);
    }
  }

  /**
   * Whether a phrase as frequent as one of its terms gives less than `minScore` to the document: the score without its
   * division, the quantum makes up for rounding. With slop a phrase may be more frequent than some of its terms.
   */
  #below(doc: number, frequency: number, minScore: number): boolean {
    if (minScore === 0 || this.#slop > 0) return false;
    const { constant, perLength, lengths } = this.#norm;
    const length = lengths === null ? 0 : (lengths[doc] as number);
    return this.#weight * frequency < (minScore - scoreQuantum) * (frequency + constant + perLength * length);
  }

  /** Whether the document has the other terms too, often enough for `minScore`. */
  #findOthers(doc: number, minScore: number): boolean {
    for (const part of this.#others) {
      const index = part.cursor.indexOf(doc);
      if (index < 0) return false;
      part.index = index;
    }
    if (minScore === 0) return true;
    for (const { cursor, index } of this.#others) {
      cursor.loadFrequencies();
      if (this.#below(doc, cursor.frequencies[index] as number, minScore)) return false;
    }
    return true;
  }

  /** Reads the positions in a document that has all terms. */
  #match({ base, bits, scores }: Window, doc: number): void {
    for (const { positions, index } of this.#parts) positions.read(index);
    const frequency = phraseFrequency(this.#counted, this.#slop);
    if (frequency === 0) return;
    const offset = doc - base;
    bits[offset >>> 5] = (bits[offset >>> 5] as number) | (1 << (offset & 31));
    if (this.#weight === 0) return;
    const score = termScore(this.#weight, frequency, this.#norm.lengths?.[doc] ?? 0, this.#norm);
    scores[offset] = (scores[offset] as number) + score;
  }
}
