/** Documents that are scored at a time. */
export const windowSize = 4096;
const windowWords = windowSize / 32;

/** What {@link Clause.next} answers at the end. */
export const noMoreDocs = 0x7fffffff;

/** Matches and scores of the documents [base, base + 4096) of a segment; `base` is a multiple of 32. */
export class Window {
  base = 0;
  /** One bit a document. */
  readonly bits = new Uint32Array(windowWords);
  /** Only those of matching documents mean anything. */
  readonly scores = new Float64Array(windowSize);

  clear(base: number): void {
    this.base = base;
    this.bits.fill(0);
    this.scores.fill(0);
  }

  get end(): number {
    return this.base + windowSize;
  }
}

const idle: Window[] = [];

/** An empty window for the length of one `collect`: they are large, and queries many. Give it back by {@link returnWindow}. */
export function borrowWindow(base: number): Window {
  const window = idle.pop() ?? new Window();
  window.clear(base);
  return window;
}

export function returnWindow(window: Window): void {
  idle.push(window);
}

/** What a clause may leave out. */
export interface Restriction {
  /** Only documents with their bit set matter; null: all. */
  readonly candidates: Uint32Array | null;
  /** Documents to which this clause gives less do not matter. */
  readonly minScore: number;
}

export const unrestricted: Restriction = { candidates: null, minScore: 0 };

/**
 * One part of a query against one segment. Windows are asked for in ascending order, each at most once by `collect`.
 */
export interface Clause {
  /** About how many documents match. */
  readonly cost: number;
  /** A document at or above `doc`, below which, from `doc` on, nothing matches. {@link noMoreDocs} at the end. */
  next(doc: number): number;
  /** No document in [base, end) gets more than this. */
  bound(base: number, end: number): number;
  /**
   * Sets the bits of matching documents of the window, and adds their scores. May do so for documents that the restriction
   * leaves out, never for documents that do not match.
   */
  collect(window: Window, restriction: Restriction): void;
}

/** Offset of the first set bit at or above `offset`; {@link windowSize} when there is none. */
export function nextBit(bits: Uint32Array, offset: number): number {
  let word = offset >>> 5;
  if (word >= windowWords) return windowSize;
  let rest = (bits[word] as number) & (-1 << (offset & 31));
  while (rest === 0) {
    if (++word === windowWords) return windowSize;
    rest = bits[word] as number;
  }
  return (word << 5) + (31 - Math.clz32(rest & -rest));
}

export const hasBit = (bits: Uint32Array, offset: number): boolean =>
  ((bits[offset >>> 5] as number) & (1 << (offset & 31))) !== 0;

export function isEmpty(bits: Uint32Array): boolean {
  for (let i = 0; i < windowWords; i++) if (bits[i] !== 0) return false;
  return true;
}

/** Keeps what is in both. */
export function intersect(bits: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < windowWords; i++) bits[i] = (bits[i] as number) & (other[i] as number);
}

/** Removes what is in the other. */
export function subtract(bits: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < windowWords; i++) bits[i] = (bits[i] as number) & ~(other[i] as number);
}

export function countBits(bits: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < windowWords; i++) {
    let word = bits[i] as number;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}
