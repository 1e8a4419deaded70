import { type Clause, nextBit, noMoreDocs, type Restriction, type Window, windowSize } from './clause.ts';

/** Every document, with the same score. */
export class AllClause implements Clause {
  readonly cost: number;
  readonly #docCount: number;
  readonly #score: number;

  constructor(docCount: number, score: number) {
    this.cost = docCount;
    this.#docCount = docCount;
    this.#score = score;
  }

  next(doc: number): number {
    return doc < this.#docCount ? doc : noMoreDocs;
  }

  bound(): number {
    return this.#score;
  }

  collect(window: Window): void {
    const count = Math.min(windowSize, this.#docCount - window.base);
    for (let offset = 0; offset < count; offset += 32) {
      window.bits[offset >>> 5] = count - offset >= 32 ? 0xffffffff : (1 << (count - offset)) - 1;
    }
    if (this.#score !== 0)
      for (let i = 0; i < count; i++) window.scores[i] = (window.scores[i] as number) + this.#score;
  }
}

/** Documents of which a test on their values holds; no score. */
export class TestClause implements Clause {
  readonly cost: number;
  readonly #docCount: number;
  readonly #test: (doc: number) => boolean;

  constructor(docCount: number, test: (doc: number) => boolean) {
    this.cost = docCount;
    this.#docCount = docCount;
    this.#test = test;
  }

  next(doc: number): number {
    return doc < this.#docCount ? doc : noMoreDocs;
  }

  bound(): number {
    return 0;
  }

  collect({ base, bits }: Window, { candidates }: Restriction): void {
    const count = Math.min(windowSize, this.#docCount - base);
    const following = (offset: number): number => (candidates === null ? offset : nextBit(candidates, offset));
    for (let offset = following(0); offset < count; offset = following(offset + 1)) {
      if (this.#test(base + offset)) bits[offset >>> 5] = (bits[offset >>> 5] as number) | (1 << (offset & 31));
    }
  }
}

/** A given, ascending list of documents; no score. */
export class DocsClause implements Clause {
  readonly cost: number;
  readonly #docs: Int32Array;

  constructor(docs: Int32Array) {
    this.cost = docs.length;
    this.#docs = docs;
  }

  next(doc: number): number {
    return this.#docs[this.#lowerBound(doc)] ?? noMoreDocs;
  }

  bound(): number {
    return 0;
  }

  collect({ base, end, bits }: Window): void {
    for (let i = this.#lowerBound(base), doc; (doc = this.#docs[i] ?? noMoreDocs) < end; i++) {
      const offset = doc - base;
      bits[offset >>> 5] = (bits[offset >>> 5] as number) | (1 << (offset & 31));
    }
  }

  #lowerBound(doc: number): number {
    let low = 0;
    let high = this.#docs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#docs[middle] as number) < doc) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** No document. */
export const emptyClause = new DocsClause(new Int32Array(0));
