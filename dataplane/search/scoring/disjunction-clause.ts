import {
  borrowWindow,
  type Clause,
  countBits,
  intersect,
  isEmpty,
  nextBit,
  noMoreDocs,
  type Restriction,
  returnWindow,
  type Window,
  windowSize,
} from './clause.ts';

/** A clause and what it can give in the window at hand. */
interface Bounded {
  readonly clause: Clause;
  readonly bound: number;
}

/**
 * At least one of several clauses; their scores add up. Prunes by MaxScore (Turtle, Flood 1995), window by window: clauses
 * whose bounds together stay below the score that still matters cannot make a match on their own; they are only asked
 * about documents that others have found.
 */
export class DisjunctionClause implements Clause {
  readonly cost: number;
  readonly #clauses: readonly Clause[];

  constructor(clauses: readonly Clause[]) {
    this.#clauses = clauses;
    this.cost = clauses.reduce((sum, { cost }) => sum + cost, 0);
  }

  next(doc: number): number {
    let least = noMoreDocs;
    for (const clause of this.#clauses) least = Math.min(least, clause.next(doc));
    return least;
  }

  bound(base: number, end: number): number {
    let sum = 0;
    for (const clause of this.#clauses) sum += clause.bound(base, end);
    return sum;
  }

  collect(window: Window, restriction: Restriction): void {
    const own = borrowWindow(window.base);
    if (restriction.minScore > 0) this.#collectPruned(own, restriction);
    else for (const clause of this.#clauses) clause.collect(own, restriction);
    if (restriction.candidates !== null) intersect(own.bits, restriction.candidates);
    addTo(window, own);
    returnWindow(own);
  }

  #collectPruned(own: Window, { candidates, minScore }: Restriction): void {
    const ordered = this.#clauses
      .map((clause): Bounded => ({ clause, bound: clause.bound(own.base, own.end) }))
      .filter(({ bound }) => bound > 0)
      .sort((a, b) => a.bound - b.bound);
    let rest = 0;
    let essential = 0;
    while (essential < ordered.length && rest + (ordered[essential] as Bounded).bound < minScore) {
      rest += (ordered[essential++] as Bounded).bound;
    }
    const alone = ordered.length - essential === 1;
    for (let i = essential; i < ordered.length; i++) {
      const { clause } = ordered[i] as Bounded;
      clause.collect(own, { candidates, minScore: alone ? minScore - rest : 0 });
    }
    for (let i = essential - 1; i >= 0 && !isEmpty(own.bits); i--) {
      dropBelow(own, minScore - rest);
      const { clause, bound } = ordered[i] as Bounded;
      const matches = own.bits.slice();
      clause.collect(own, { candidates: matches, minScore: 0 });
      intersect(own.bits, matches);
      rest -= bound;
    }
  }
}

function dropBelow({ bits, scores }: Window, minScore: number): void {
  for (let offset = nextBit(bits, 0); offset < windowSize; offset = nextBit(bits, offset + 1)) {
    if ((scores[offset] as number) < minScore) {
      bits[offset >>> 5] = (bits[offset >>> 5] as number) & ~(1 << (offset & 31));
    }
  }
}

/** Adds the matches of one window, with their scores, to another of the same base. */
export function addTo(window: Window, own: Window): void {
  const { bits, scores } = own;
  if (countBits(bits) * 4 > windowSize) {
    addDense(window, own);
  } else {
    for (let offset = nextBit(bits, 0); offset < windowSize; offset = nextBit(bits, offset + 1)) {
      window.scores[offset] = (window.scores[offset] as number) + (scores[offset] as number);
    }
  }
  for (let i = 0; i < bits.length; i++) window.bits[i] = (window.bits[i] as number) | (bits[i] as number);
}

function addDense(window: Window, { bits, scores }: Window): void {
  for (let offset = 0; offset < windowSize; offset++) {
    const matches = ((bits[offset >>> 5] as number) >>> (offset & 31)) & 1;
    if (matches === 1) window.scores[offset] = (window.scores[offset] as number) + (scores[offset] as number);
  }
}
