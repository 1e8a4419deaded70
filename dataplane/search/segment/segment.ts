import { mayHoldId } from './id-filter.ts';
import { PostingsCursor, type PostingsPlace } from './postings-cursor.ts';
import { type FieldMeta, type FieldPart, type SegmentData, sectionNames } from './segment-data.ts';
import { StringTable } from './string-table.ts';

/** Where a segment's sources are read from: memory or its file. */
export interface StoredBytes {
  readonly length: number;
  read(from: number, to: number): Uint8Array;
}

const words = (bytes: Uint8Array | undefined): Uint32Array =>
  bytes === undefined ? new Uint32Array(1) : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
const doubles = (bytes: Uint8Array | undefined): Float64Array =>
  bytes === undefined ? new Float64Array(0) : new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 3);

/** One field of a segment. Parts that its kind does not have are empty. */
export class SegmentField {
  readonly meta: FieldMeta;
  readonly terms: StringTable;
  /** Text: length per document. */
  readonly lengths: Uint32Array;
  readonly valueOffsets: Uint32Array;
  /** Numbers, or ordinals of keywords. */
  readonly values: Float64Array | Uint32Array;
  readonly #df: Uint32Array;
  readonly #start: Uint32Array;
  readonly #words: Uint32Array;

  constructor(meta: FieldMeta, section: (part: FieldPart) => Uint8Array | undefined) {
    this.meta = meta;
    this.terms = new StringTable(words(section('termOffsets')), section('termBytes') ?? new Uint8Array());
    this.lengths = words(section('lengths'));
    this.valueOffsets = words(section('valueOffsets'));
    this.values = meta.kind === 'number' ? doubles(section('values')) : words(section('values'));
    this.#df = words(section('termDf'));
    this.#start = words(section('termStart'));
    this.#words = words(section('words'));
  }

  /** Documents with the term, deleted ones included. */
  df(term: number): number {
    return this.#df[term] as number;
  }

  cursor(term: number): PostingsCursor {
    return new PostingsCursor(this.place(term));
  }

  /** For {@link PostingsCursor.reset}. */
  place(term: number): PostingsPlace {
    return { words: this.#words, start: this.#start[term] as number, df: this.#df[term] as number };
  }
}

/** An immutable segment, open for reading. Documents are numbered from 0 in the order of their ids. */
export class Segment {
  readonly docCount: number;
  readonly fields: ReadonlyMap<string, SegmentField>;
  readonly versions: Uint32Array;
  readonly seqNos: Float64Array;
  readonly primaryTerms: Uint32Array;
  readonly data: SegmentData;
  readonly #ids: StringTable;
  readonly #idFilter: Uint32Array;
  readonly #storedOffsets: Float64Array;
  #stored: StoredBytes;

  constructor(data: SegmentData, stored: StoredBytes) {
    this.data = data;
    this.docCount = data.docCount;
    const { sections } = data;
    this.#ids = new StringTable(
      words(sections.get(sectionNames.idOffsets)),
      sections.get(sectionNames.idBytes) ?? new Uint8Array(),
    );
    this.#idFilter = words(sections.get(sectionNames.idFilter));
    this.versions = words(sections.get(sectionNames.versions));
    this.seqNos = doubles(sections.get(sectionNames.seqNos));
    this.primaryTerms = words(sections.get(sectionNames.terms));
    this.#storedOffsets = doubles(sections.get(sectionNames.storedOffsets));
    this.#stored = stored;
    this.fields = new Map(
      data.fields.map((meta, index) => [
        meta.name,
        new SegmentField(meta, (part) => sections.get(sectionNames.field(index, part))),
      ]),
    );
  }

  idOf(doc: number): string {
    return this.#ids.at(doc);
  }

  /** The document's number, or -1. */
  find(id: string): number {
    return mayHoldId(this.#idFilter, id) ? this.#ids.indexOf(id) : -1;
  }

  /** The JSON text of the document's `_source`. */
  source(doc: number): Uint8Array {
    return this.#stored.read(this.#storedOffsets[doc] as number, this.#storedOffsets[doc + 1] as number);
  }

  sourceLength(doc: number): number {
    return (this.#storedOffsets[doc + 1] as number) - (this.#storedOffsets[doc] as number);
  }

  get stored(): StoredBytes {
    return this.#stored;
  }

  /** From now on sources are read from there: the segment was written to its file. */
  moveStored(stored: StoredBytes): void {
    this.#stored = stored;
    (this.data.sections as Map<string, Uint8Array>).delete(sectionNames.stored);
  }

  /** Bytes held in memory. */
  get residentBytes(): number {
    let bytes = 0;
    for (const section of this.data.sections.values()) bytes += section.byteLength;
    return bytes;
  }
}

/** A segment whose sources are in memory. */
export function openInMemory(data: SegmentData): Segment {
  const stored = data.sections.get(sectionNames.stored) ?? new Uint8Array();
  return new Segment(data, { length: stored.length, read: (from, to) => stored.subarray(from, to) });
}
