import { buildIdFilter } from './id-filter.ts';
import type { FieldPostings } from './postings-writer.ts';
import { bytesOf, type FieldKind, type FieldMeta, type SegmentData, sectionNames } from './segment-data.ts';
import { StringTableWriter } from './string-table.ts';

/** Values of one field for all documents: those of document d lie between offsets d and d + 1. */
export interface FieldValues {
  readonly offsets: Uint32Array;
  /** Numbers; for keywords, places in the field's sorted terms. */
  readonly values: Float64Array | Uint32Array;
}

/** What a builder or a merge has made of one field. */
export interface FieldParts {
  readonly name: string;
  readonly kind: FieldKind;
  readonly postings?: FieldPostings;
  /** Text: length per document. */
  readonly lengths?: Uint32Array;
  /** Keywords and numbers. */
  readonly values?: FieldValues;
}

/** What a segment holds of its documents apart from fields. Arrays have an entry per document, in order of id. */
export interface DocumentParts {
  readonly ids: readonly string[];
  readonly versions: Uint32Array;
  readonly seqNos: Float64Array;
  readonly primaryTerms: Uint32Array;
  /** Where the source of each document starts in `stored`; one entry more than documents. */
  readonly storedOffsets: Float64Array;
  readonly stored: Uint8Array;
}

function fieldMeta({ name, kind, lengths, values }: FieldParts): FieldMeta {
  let docsWithField = 0;
  let totalLength = 0;
  for (const length of lengths ?? []) {
    totalLength += length;
    if (length > 0) docsWithField++;
  }
  if (values !== undefined) {
    for (let doc = 1; doc < values.offsets.length; doc++) {
      if ((values.offsets[doc] as number) > (values.offsets[doc - 1] as number)) docsWithField++;
    }
  }
  return { name, kind, docsWithField, totalLength };
}

function addField(sections: Map<string, Uint8Array>, index: number, field: FieldParts): void {
  for (const [part, array] of Object.entries(field.postings ?? {}) as [keyof FieldPostings, ArrayBufferView][]) {
    sections.set(sectionNames.field(index, part), bytesOf(array));
  }
  if (field.lengths !== undefined) sections.set(sectionNames.field(index, 'lengths'), bytesOf(field.lengths));
  if (field.values === undefined) return;
  sections.set(sectionNames.field(index, 'valueOffsets'), bytesOf(field.values.offsets));
  sections.set(sectionNames.field(index, 'values'), bytesOf(field.values.values));
}

/** Puts the parts of a segment together under their section names. */
export function assembleSegment(documents: DocumentParts, fields: readonly FieldParts[]): SegmentData {
  const sections = new Map<string, Uint8Array>();
  const idTable = new StringTableWriter();
  for (const id of documents.ids) idTable.add(id);
  const { offsets, bytes } = idTable.finish();
  const { ids } = documents;
  sections.set(sectionNames.idOffsets, bytesOf(offsets));
  sections.set(sectionNames.idBytes, bytes);
  sections.set(sectionNames.idFilter, bytesOf(buildIdFilter(ids.length, (index) => ids[index] as string)));
  sections.set(sectionNames.versions, bytesOf(documents.versions));
  sections.set(sectionNames.seqNos, bytesOf(documents.seqNos));
  sections.set(sectionNames.terms, bytesOf(documents.primaryTerms));
  sections.set(sectionNames.storedOffsets, bytesOf(documents.storedOffsets));
  sections.set(sectionNames.stored, documents.stored);
  for (const [index, field] of fields.entries()) addField(sections, index, field);
  return { docCount: ids.length, fields: fields.map(fieldMeta), sections };
}
