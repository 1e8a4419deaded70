import {
  borrowWindow,
  type Clause,
  intersect,
  isEmpty,
  nextBit,
  noMoreDocs,
  type Restriction,
  returnWindow,
  subtract,
  type Window,
  windowSize,
} from './clause.ts';
import { addTo } from './disjunction-clause.ts';

/** What one evaluation works in: its result so far, and room for one clause. */
interface Windows {
  readonly own: Window;
  readonly scratch: Window;
}

/** The parts of a bool query against one segment. */
export interface BoolParts {
  readonly must: readonly Clause[];
  readonly filter: readonly Clause[];
  readonly should: readonly Clause[];
  readonly mustNot: readonly Clause[];
  /** How many of `should` have to match. */
  readonly minimumShould: number;
}

/** A conjunction with optional, forbidden and counted clauses. At least one part is required or `should` is counted. */
export class BoolClause implements Clause {
  readonly cost: number;
  readonly #required: readonly { readonly clause: Clause; readonly scores: boolean }[];
  readonly #parts: BoolParts;
  #counts: Uint8Array | null = null;

  constructor(parts: BoolParts) {
    this.#parts = parts;
    this.#required = [
      ...parts.must.map((clause) => ({ clause, scores: true })),
      ...parts.filter.map((clause) => ({ clause, scores: false })),
    ].sort((a, b) => a.clause.cost - b.clause.cost);
    this.cost = this.#required[0]?.clause.cost ?? parts.should.reduce((sum, { cost }) => sum + cost, 0);
  }

  next(doc: number): number {
    const at = this.#nextRequired(doc);
    if (this.#parts.minimumShould === 0 || at === noMoreDocs) return at;
    let least = noMoreDocs;
    for (const clause of this.#parts.should) least = Math.min(least, clause.next(at));
    return least;
  }

  /** Goes round until all required clauses agree: windows without a common document are never looked at. */
  #nextRequired(doc: number): number {
    let at = doc;
    for (let before = -1; at > before && at !== noMoreDocs;) {
      before = at;
      for (const { clause } of this.#required) at = clause.next(at);
    }
    return at;
  }

  bound(base: number, end: number): number {
    let sum = 0;
    for (const clause of this.#parts.must) {
      // a leader without a match in the range rules all of it out
      if (clause.next(base) >= end) return 0;
      sum += clause.bound(base, end);
    }
    for (const clause of this.#parts.should) sum += clause.bound(base, end);
    return sum;
  }

  collect(window: Window, { candidates, minScore }: Restriction): void {
    const own = borrowWindow(window.base);
    const scratch = borrowWindow(window.base);
    if (this.#evaluate({ own, scratch }, candidates, minScore)) addTo(window, own);
    returnWindow(scratch);
    returnWindow(own);
  }

  /** False when nothing is left. */
  #evaluate(windows: Windows, candidates: Uint32Array | null, minScore: number): boolean {
    const { own, scratch } = windows;
    if (!this.#collectRequired(windows, candidates, minScore)) return false;
    const restricted = this.#required.length > 0 ? own.bits : candidates;
    if (this.#parts.minimumShould > 0) this.#collectCounted(windows, restricted);
    else this.#collectOptional(windows);
    for (const clause of this.#parts.mustNot) {
      if (isEmpty(own.bits)) return false;
      scratch.clear(own.base);
      clause.collect(scratch, { candidates: own.bits, minScore: 0 });
      subtract(own.bits, scratch.bits);
    }
    return true;
  }

  /** False when nothing is left. */
  #collectRequired(windows: Windows, candidates: Uint32Array | null, minScore: number): boolean {
    const { own } = windows;
    const slack = minScore > 0 ? minScore - this.bound(own.base, own.end) : 0;
    if (slack > 0) return false;
    for (const [index, { clause, scores }] of this.#required.entries()) {
      const least = minScore > 0 && scores ? slack + clause.bound(own.base, own.end) : 0;
      if (index === 0) this.#collectFirst(own, clause, { candidates, minScore: least });
      else this.#collectNext(windows, clause, least);
      if (isEmpty(own.bits)) return false;
    }
    return true;
  }

  #collectFirst(own: Window, clause: Clause, restriction: Restriction): void {
    clause.collect(own, restriction);
    if (restriction.candidates !== null) intersect(own.bits, restriction.candidates);
  }

  /** Keeps what matches this clause too. Clauses that only filter add no scores. */
  #collectNext({ own, scratch }: Windows, clause: Clause, minScore: number): void {
    scratch.clear(own.base);
    clause.collect(scratch, { candidates: own.bits, minScore });
    intersect(own.bits, scratch.bits);
    intersect(scratch.bits, own.bits);
    addScores(own, scratch);
  }

  #collectOptional({ own, scratch }: Windows): void {
    for (const clause of this.#parts.should) {
      scratch.clear(own.base);
      clause.collect(scratch, { candidates: own.bits, minScore: 0 });
      intersect(scratch.bits, own.bits);
      addScores(own, scratch);
    }
  }

  #collectCounted({ own, scratch }: Windows, candidates: Uint32Array | null): void {
    const { should, minimumShould } = this.#parts;
    const before = candidates === null ? null : candidates.slice();
    const counts = (this.#counts ??= new Uint8Array(windowSize)).fill(0);
    own.bits.fill(0);
    for (const clause of should) {
      scratch.clear(own.base);
      clause.collect(scratch, { candidates: before, minScore: 0 });
      if (before !== null) intersect(scratch.bits, before);
      for (let offset = nextBit(scratch.bits, 0); offset < windowSize; offset = nextBit(scratch.bits, offset + 1)) {
        own.scores[offset] = (own.scores[offset] as number) + (scratch.scores[offset] as number);
        const count = Math.min(255, (counts[offset] as number) + 1);
        counts[offset] = count;
        if (count >= minimumShould) own.bits[offset >>> 5] = (own.bits[offset >>> 5] as number) | (1 << (offset & 31));
      }
    }
  }
}

/** Adds the scores of `other` to the documents of `own` that it matches too. */
function addScores(own: Window, other: Window): void {
  for (let offset = nextBit(other.bits, 0); offset < windowSize; offset = nextBit(other.bits, offset + 1)) {
    own.scores[offset] = (own.scores[offset] as number) + (other.scores[offset] as number);
  }
}
