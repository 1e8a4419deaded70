import type { Row } from './row.ts';

/** A part of an ordered space. Names are strings of one character a byte, so their order is that of the bytes. */
export interface Range {
  /** First name that belongs to it; left out: from the beginning. */
  readonly from?: string | undefined;
  /** First name that no longer belongs to it; left out: to the end. */
  readonly to?: string | undefined;
  /** From the end to the beginning. */
  readonly reverse?: boolean | undefined;
}

/** An element of a collection. */
export interface Element {
  readonly name: string;
  readonly value: Buffer;
}

export interface NamedRow {
  readonly key: string;
  readonly row: Row;
}

/** One state of a shard. Rows may have expired; values may be views that hold until the next call. */
export interface ReadState {
  get(key: string): Row | undefined;
  rows(range: Range): Iterable<NamedRow>;
  element(generation: number, name: string): Buffer | undefined;
  elements(generation: number, range: Range): Iterable<Element>;
  /** Number of elements in a range. Costs a step for each, though a small one. */
  countElements(generation: number, range: Range): number;
}
