import type { Segment, SegmentField } from './segment.ts';

/** Terms whose count of deleted documents is remembered per segment. */
const rememberedTerms = 20_000;

const hasValues = ({ meta, valueOffsets }: SegmentField, doc: number): boolean =>
  meta.kind !== 'text' && (valueOffsets[doc + 1] as number) > (valueOffsets[doc] as number);

/**
 * Which documents of a segment are deleted, and what that does to the statistics: BM25 counts live documents only, so that
 * scores do not depend on when segments are merged.
 */
export class LiveDocuments {
  /** One bit a document; set = deleted. */
  readonly deleted: Uint32Array;
  /** Deleted documents in the order of their deletion. */
  readonly log: number[] = [];
  readonly #segment: Segment;
  readonly #lengths = new Map<string, { docs: number; length: number }>();
  #termCounts = new Map<string, { seen: number; deleted: number }>();

  constructor(segment: Segment, deleted: Iterable<number> = []) {
    this.#segment = segment;
    this.deleted = new Uint32Array(Math.ceil(segment.docCount / 32));
    for (const doc of deleted) this.delete(doc);
  }

  get count(): number {
    return this.#segment.docCount - this.log.length;
  }

  isDeleted(doc: number): boolean {
    return ((this.deleted[doc >>> 5] as number) & (1 << (doc & 31))) !== 0;
  }

  delete(doc: number): void {
    if (this.isDeleted(doc)) return;
    this.deleted[doc >>> 5] = (this.deleted[doc >>> 5] as number) | (1 << (doc & 31));
    this.log.push(doc);
    for (const [name, field] of this.#segment.fields) {
      const length = field.meta.kind === 'text' ? (field.lengths[doc] as number) : 0;
      if (length === 0 && !hasValues(field, doc)) continue;
      const gone = this.#lengths.get(name) ?? { docs: 0, length: 0 };
      this.#lengths.set(name, { docs: gone.docs + 1, length: gone.length + length });
    }
  }

  /** Live documents with the field, and the sum of its lengths in them. */
  fieldStatistics(field: SegmentField): { docs: number; length: number } {
    const gone = this.#lengths.get(field.meta.name);
    return {
      docs: field.meta.docsWithField - (gone?.docs ?? 0),
      length: field.meta.totalLength - (gone?.length ?? 0),
    };
  }

  /** Live documents with the term. Looks only at documents deleted since it was asked last. */
  df(field: SegmentField, term: number): number {
    const all = field.df(term);
    if (this.log.length === 0) return all;
    const key = `${field.meta.name}\0${term}`;
    const known = this.#termCounts.get(key) ?? { seen: 0, deleted: 0 };
    if (known.seen < this.log.length) {
      known.deleted += this.#countHolding(field, term, this.log.slice(known.seen));
      known.seen = this.log.length;
      if (this.#termCounts.size >= rememberedTerms) this.#termCounts = new Map();
      this.#termCounts.set(key, known);
    }
    return all - known.deleted;
  }

  #countHolding(field: SegmentField, term: number, docs: number[]): number {
    const cursor = field.cursor(term);
    let holding = 0;
    for (const doc of docs.sort((a, b) => a - b)) if (cursor.firstFrom(doc) === doc) holding++;
    return holding;
  }
}
