/**
 * A segment as named runs of bytes, before it is written and after it was read. Typed arrays are stored little-endian, as
 * the machines that we run on hold them.
 */
export type FieldKind = 'text' | 'keyword' | 'number';

/** What a segment holds of one field. */
export interface FieldMeta {
  readonly name: string;
  readonly kind: FieldKind;
  /** Documents with at least one term or value of the field. */
  readonly docsWithField: number;
  /** Sum of the field's lengths in terms (text only). */
  readonly totalLength: number;
}

export interface SegmentData {
  readonly docCount: number;
  readonly fields: readonly FieldMeta[];
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

/** Bytes of a typed array, without a copy. */
export const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Section names: of the whole segment, and of field number `field`. */
export const sectionNames = {
  idOffsets: 'id.offsets',
  idBytes: 'id.bytes',
  idFilter: 'id.filter',
  versions: 'doc.versions',
  seqNos: 'doc.seqnos',
  terms: 'doc.terms',
  storedOffsets: 'stored.offsets',
  stored: 'stored',
  field: (field: number, part: FieldPart): string => `f${field}.${part}`,
} as const;

export type FieldPart =
  'termOffsets' | 'termBytes' | 'termDf' | 'termStart' | 'words' | 'lengths' | 'valueOffsets' | 'values';
