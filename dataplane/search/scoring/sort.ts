import { compareByBytes } from '../segment/byte-order.ts';
import type { Segment } from '../segment/segment.ts';

/** One criterion of a search's order. `_score` and `_id` are fields here too. */
export interface SortField {
  readonly field: string;
  readonly descending: boolean;
  /** Where documents without a value go. */
  readonly missingFirst: boolean;
}

/** Null: the document has no value. */
export type SortKey = number | string | null;

/** Reads a document's value for one criterion. */
type KeyReader = (doc: number, score: number) => SortKey;

function readerOf(segment: Segment, { field: name, descending }: SortField): KeyReader {
  if (name === '_score') return (_, score) => score;
  if (name === '_id') return (doc) => segment.idOf(doc);
  const field = segment.fields.get(name);
  if (field === undefined || field.meta.kind === 'text') return () => null;
  const { values, valueOffsets, terms, meta } = field;
  const isKeyword = meta.kind === 'keyword';
  return (doc) => {
    const from = valueOffsets[doc] as number;
    const to = valueOffsets[doc + 1] as number;
    if (from === to) return null;
    const value = values[descending ? to - 1 : from] as number;
    return isKeyword ? terms.at(value) : value;
  };
}

/** Reads all keys of documents of one segment. */
export function keyReader(segment: Segment, sort: readonly SortField[]): (doc: number, score: number) => SortKey[] {
  const readers = sort.map((criterion) => readerOf(segment, criterion));
  return (doc, score) => readers.map((read) => read(doc, score));
}

function compareKey(a: SortKey, b: SortKey, { descending, missingFirst }: SortField): number {
  if (a === null || b === null) return a === b ? 0 : (a === null) === missingFirst ? -1 : 1;
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : compareByBytes(String(a), String(b));
  return descending ? -order : order;
}

/** Below zero: `a` comes first. Zero: equal in all criteria. */
export function compareKeys(a: readonly SortKey[], b: readonly SortKey[], sort: readonly SortField[]): number {
  for (const [i, criterion] of sort.entries()) {
    const order = compareKey(a[i] ?? null, b[i] ?? null, criterion);
    if (order !== 0) return order;
  }
  return 0;
}
