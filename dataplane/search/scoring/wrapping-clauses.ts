import { quantize, scoreQuantum } from './bm25.ts';
import { type Clause, nextBit, noMoreDocs, type Restriction, unrestricted, Window, windowSize } from './clause.ts';

/** The documents of another clause, all with the same score. */
export class ConstantClause implements Clause {
  readonly cost: number;
  readonly #inner: Clause;
  readonly #score: number;
  readonly #scratch = new Window();

  constructor(inner: Clause, score: number) {
    this.cost = inner.cost;
    this.#inner = inner;
    this.#score = quantize(score);
  }

  next(doc: number): number {
    return this.#inner.next(doc);
  }

  bound(): number {
    return this.#score;
  }

  collect(window: Window, { candidates }: Restriction): void {
    const scratch = this.#scratch;
    scratch.clear(window.base);
    this.#inner.collect(scratch, { candidates, minScore: 0 });
    for (let offset = nextBit(scratch.bits, 0); offset < windowSize; offset = nextBit(scratch.bits, offset + 1)) {
      window.scores[offset] = (window.scores[offset] as number) + this.#score;
    }
    for (const [i, word] of scratch.bits.entries()) window.bits[i] = (window.bits[i] as number) | word;
  }
}

/** The best of several clauses, plus a share of the others (`tie_breaker`). */
export class DisjunctionMaxClause implements Clause {
  readonly cost: number;
  readonly #clauses: readonly Clause[];
  readonly #tieBreaker: number;
  readonly #scratch = new Window();
  readonly #best = new Float64Array(windowSize);
  readonly #sum = new Float64Array(windowSize);

  constructor(clauses: readonly Clause[], tieBreaker: number) {
    this.cost = clauses.reduce((sum, { cost }) => sum + cost, 0);
    this.#clauses = clauses;
    this.#tieBreaker = tieBreaker;
  }

  next(doc: number): number {
    return this.#clauses.reduce((least, clause) => Math.min(least, clause.next(doc)), noMoreDocs);
  }

  bound(base: number, end: number): number {
    let best = 0;
    let sum = 0;
    for (const clause of this.#clauses) {
      const bound = clause.bound(base, end);
      best = Math.max(best, bound);
      sum += bound;
    }
    return best + this.#tieBreaker * (sum - best) + scoreQuantum;
  }

  collect(window: Window, { candidates }: Restriction): void {
    const scratch = this.#scratch;
    this.#best.fill(0);
    this.#sum.fill(0);
    for (const clause of this.#clauses) {
      scratch.clear(window.base);
      clause.collect(scratch, { ...unrestricted, candidates });
      for (let offset = nextBit(scratch.bits, 0); offset < windowSize; offset = nextBit(scratch.bits, offset + 1)) {
        const score = scratch.scores[offset] as number;
        this.#best[offset] = Math.max(this.#best[offset] as number, score);
        this.#sum[offset] = (this.#sum[offset] as number) + score;
      }
      for (const [i, word] of scratch.bits.entries()) window.bits[i] = (window.bits[i] as number) | word;
    }
    for (let offset = nextBit(window.bits, 0); offset < windowSize; offset = nextBit(window.bits, offset + 1)) {
      const best = this.#best[offset] as number;
      const rest = (this.#sum[offset] as number) - best;
      window.scores[offset] = (window.scores[offset] as number) + quantize(best + this.#tieBreaker * rest);
    }
  }
}
