import { pack, widthOf } from './bit-packing.ts';
import { WordList } from './growable.ts';
import { impactsOf } from './impact.ts';
import { blockCount, blockSize, fewPostings, headerWords, impactsAt } from './postings-format.ts';
import { StringTableWriter } from './string-table.ts';

/** The postings of one term, ascending by document. */
export interface TermPostings {
  readonly docs: Int32Array;
  readonly frequencies: Int32Array;
  readonly count: number;
  /** The positions of all postings, one after the other; absent for fields without positions. */
  readonly positions?: Int32Array;
}

/** The finished inverted index of one field. Arrays named term… have an entry per term, in the order of `terms`. */
export interface FieldPostings {
  readonly termOffsets: Uint32Array;
  readonly termBytes: Uint8Array;
  readonly termDf: Uint32Array;
  readonly termStart: Uint32Array;
  readonly words: Uint32Array;
}

/** Encodes terms, given in their order, into the format of `postings-format.ts`. */
export class PostingsWriter {
  readonly #terms = new StringTableWriter();
  readonly #df = new WordList();
  readonly #start = new WordList();
  readonly #words = new WordList(4096);
  readonly #lengths: Uint32Array | null;
  readonly #gaps = new Int32Array(blockSize);
  readonly #blockFrequencies = new Int32Array(blockSize);
  readonly #blockLengths = new Int32Array(blockSize);

  /** `lengths`: field length per document; null for fields without (keywords). */
  constructor(lengths: Uint32Array | null) {
    this.#lengths = lengths;
  }

  add(term: string, postings: TermPostings): void {
    if (postings.count === 0) return;
    this.#terms.add(term);
    this.#df.push(postings.count);
    this.#start.push(this.#words.length);
    if (postings.count <= fewPostings) this.#writeFew(postings);
    else this.#writeBlocks(postings);
  }

  #writeFew({ docs, frequencies, count, positions }: TermPostings): void {
    for (let i = 0; i < count; i++) {
      this.#words.push(docs[i] as number);
      this.#words.push(frequencies[i] as number);
    }
    if (positions === undefined) return;
    const width = widthOf(positions, positions.length);
    this.#words.push(width);
    pack(this.#words, positions, positions.length, width);
  }

  #writeBlocks(postings: TermPostings): void {
    const start = this.#words.length;
    const blocks = blockCount(postings.count);
    for (let i = 0; i < blocks * headerWords; i++) this.#words.push(0);
    let positionsFrom = 0;
    for (let block = 0; block < blocks; block++) {
      const from = block * blockSize;
      const count = Math.min(blockSize, postings.count - from);
      const header = start + block * headerWords;
      const data = this.#words.length;
      this.#words.words[header] = postings.docs[from + count - 1] as number;
      this.#words.words[header + 1] = data - start;
      this.#writeBlock(postings, from, count);
      if (postings.positions !== undefined) {
        let positionsTo = positionsFrom;
        for (let i = 0; i < count; i++) positionsTo += this.#blockFrequencies[i] as number;
        this.#writePositions(postings.positions.subarray(positionsFrom, positionsTo), data);
        positionsFrom = positionsTo;
      }
      const impacts = impactsOf(this.#blockFrequencies, this.#blockLengths, count);
      for (const [i, point] of impacts.entries()) this.#words.words[header + impactsAt + i] = point;
    }
  }

  #writeBlock({ docs, frequencies }: TermPostings, from: number, count: number): void {
    let previous = from === 0 ? -1 : (docs[from - 1] as number);
    for (let i = 0; i < count; i++) {
      const doc = docs[from + i] as number;
      const frequency = frequencies[from + i] as number;
      this.#gaps[i] = doc - previous - 1;
      previous = doc;
      this.#blockFrequencies[i] = frequency - 1;
      this.#blockLengths[i] = this.#lengths === null ? 0 : (this.#lengths[doc] as number);
    }
    const docWidth = widthOf(this.#gaps, count);
    const frequencyWidth = widthOf(this.#blockFrequencies, count);
    this.#words.push(docWidth | (frequencyWidth << 8));
    pack(this.#words, this.#gaps, count, docWidth);
    pack(this.#words, this.#blockFrequencies, count, frequencyWidth);
    for (let i = 0; i < count; i++) this.#blockFrequencies[i] = (this.#blockFrequencies[i] as number) + 1;
  }

  /** Appends the positions of the block that was just written at word `data`. */
  #writePositions(positions: Int32Array, data: number): void {
    const width = widthOf(positions, positions.length);
    const { words } = this.#words;
    words[data] = (words[data] as number) | (width << 16);
    pack(this.#words, positions, positions.length, width);
  }

  finish(): FieldPostings {
    const terms = this.#terms.finish();
    return {
      termOffsets: terms.offsets,
      termBytes: terms.bytes,
      termDf: this.#df.finish(),
      termStart: this.#start.finish(),
      words: this.#words.finish(),
    };
  }
}
