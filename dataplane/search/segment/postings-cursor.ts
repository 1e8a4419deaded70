import { unpack, packedWords } from './bit-packing.ts';
import { impactPoints } from './impact.ts';
import { blockCount, blockSize, fewPostings, headerWords, impactsAt } from './postings-format.ts';

/** Where the postings of one term are. */
export interface PostingsPlace {
  readonly words: Uint32Array;
  readonly start: number;
  readonly df: number;
}

/** Steps of a search through a block. */
const stride = 8;

const endOfDocs = 0x7fffffff;

/**
 * Reads the postings of one term block by block, forward only. After {@link load}, `docs` and (after {@link loadFrequencies})
 * `frequencies` hold the `count` postings of the block; {@link loadPositionStarts} tells where their positions are.
 */
export class PostingsCursor {
  /** Postings of the term. */
  df = 0;
  blocks = 0;
  readonly docs = new Int32Array(blockSize);
  readonly frequencies = new Int32Array(blockSize);
  count = 0;
  /** Per posting of the block: how many positions come before its own. */
  readonly positionStarts = new Int32Array(blockSize);
  /** Bits of each of the block's positions. */
  positionWidth = 0;
  /** The word at which the block's positions start. */
  positionsAt = 0;
  /** The block that is loaded; -1 = none. */
  block = -1;
  #place: PostingsPlace;
  #few = false;
  #frequenciesOf = -1;
  #positionsOf = -1;
  #seekBlock = 0;
  /** Where {@link indexOf} stopped in the loaded block. */
  #index = 0;

  constructor(place: PostingsPlace) {
    this.#place = place;
    this.reset(place);
  }

  /** Starts anew at another term. */
  reset(place: PostingsPlace): void {
    this.#place = place;
    this.df = place.df;
    this.#few = place.df <= fewPostings;
    this.blocks = blockCount(place.df);
    this.block = -1;
    this.#frequenciesOf = -1;
    this.#positionsOf = -1;
    this.#seekBlock = 0;
  }

  /** Last document of a block. */
  lastDoc(block: number): number {
    const { words, start, df } = this.#place;
    return words[this.#few ? start + 2 * (df - 1) : start + block * headerWords] as number;
  }

  /** An impact point of a block (see `impact.ts`), 0 when there is none; null when the block has none at all. */
  impact(block: number, index: number): number | null {
    if (this.#few) return null;
    return index < impactPoints
      ? (this.#place.words[this.#place.start + block * headerWords + impactsAt + index] as number)
      : 0;
  }

  /** The first block, at or after the last one sought, whose last document is `doc` or above; `blocks` at the end. */
  seek(doc: number): number {
    let block = this.#seekBlock;
    if (block < this.blocks && this.lastDoc(block) < doc) {
      let low = block + 1;
      let step = 1;
      while (low + step <= this.blocks && this.lastDoc(low + step - 1) < doc) {
        low += step;
        step *= 2;
      }
      let high = Math.min(this.blocks, low + step - 1);
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (this.lastDoc(middle) < doc) low = middle + 1;
        else high = middle;
      }
      block = low;
    }
    this.#seekBlock = block;
    return block;
  }

  /** First document at or after `doc`; a large number at the end. Loads its block. */
  firstFrom(doc: number): number {
    const block = this.seek(doc);
    if (block === this.blocks) return endOfDocs;
    this.load(block);
    return this.docs[this.indexFrom(doc)] as number;
  }

  /** Index within the loaded block of the first document at or after `doc`; `count` when there is none. */
  indexFrom(doc: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.docs[middle] as number) < doc) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Loads the block in which a document would be; answers its index there, -1 when it lacks the term. For documents in
   * ascending order: goes on from the last one.
   */
  indexOf(doc: number): number {
    if (this.block < 0 || (this.docs[this.count - 1] as number) < doc) {
      const block = this.seek(doc);
      if (block === this.blocks) return -1;
      this.load(block);
    }
    const { docs } = this;
    let index = this.#index;
    while (index + stride < this.count && (docs[index + stride] as number) < doc) index += stride;
    while ((docs[index] as number) < doc) index++;
    this.#index = index;
    return docs[index] === doc ? index : -1;
  }

  load(block: number): void {
    if (this.block === block) return;
    this.block = block;
    this.#index = 0;
    if (this.#few) this.#loadFew();
    else this.#loadBlock(block);
  }

  #loadFew(): void {
    const { words, start, df } = this.#place;
    this.count = df;
    this.#frequenciesOf = this.block;
    for (let i = 0; i < df; i++) {
      this.docs[i] = words[start + 2 * i] as number;
      this.frequencies[i] = words[start + 2 * i + 1] as number;
    }
  }

  #loadBlock(block: number): void {
    const { words } = this.#place;
    const count = this.#countOf(block);
    const data = this.#dataOf(block);
    this.count = count;
    const { docs } = this;
    unpack(words, data + 1, { count, width: (words[data] as number) & 0xff }, docs);
    let previous = block === 0 ? -1 : this.lastDoc(block - 1);
    for (let i = 0; i < count; i++) {
      previous += (docs[i] as number) + 1;
      docs[i] = previous;
    }
  }

  #countOf(block: number): number {
    return Math.min(blockSize, this.df - block * blockSize);
  }

  #dataOf(block: number): number {
    const { words, start } = this.#place;
    return start + (words[start + block * headerWords + 1] as number);
  }

  /** Fills `frequencies` for the loaded block. */
  loadFrequencies(): void {
    if (this.#frequenciesOf === this.block) return;
    this.#frequenciesOf = this.block;
    const { words } = this.#place;
    const data = this.#dataOf(this.block);
    const widths = words[data] as number;
    const at = data + 1 + packedWords(this.count, widths & 0xff);
    const { frequencies, count } = this;
    unpack(words, at, { count, width: (widths >>> 8) & 0xff }, frequencies);
    for (let i = 0; i < count; i++) frequencies[i] = (frequencies[i] as number) + 1;
  }

  /** Fills `frequencies`, `positionStarts`, `positionWidth` and `positionsAt` for the loaded block. */
  loadPositionStarts(): void {
    if (this.#positionsOf === this.block) return;
    this.#positionsOf = this.block;
    this.loadFrequencies();
    const { frequencies, positionStarts, count } = this;
    for (let i = 0, before = 0; i < count; i++) {
      positionStarts[i] = before;
      before += frequencies[i] as number;
    }
    const { words, start } = this.#place;
    if (this.#few) {
      this.positionWidth = words[start + 2 * count] as number;
      this.positionsAt = start + 2 * count + 1;
      return;
    }
    const data = this.#dataOf(this.block);
    const widths = words[data] as number;
    this.positionWidth = (widths >>> 16) & 0xff;
    this.positionsAt = data + 1 + packedWords(count, widths & 0xff) + packedWords(count, (widths >>> 8) & 0xff);
  }

  /** All postings of the field; positions start at {@link positionsAt}. */
  get words(): Uint32Array {
    return this.#place.words;
  }
}
