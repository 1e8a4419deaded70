import type { BufferedDocument, Vocabulary } from './buffered-document.ts';
import { compareByBytes } from './byte-order.ts';
import { fieldOf, invertField } from './invert.ts';
import { assembleSegment, type DocumentParts, type FieldParts } from './segment-assembly.ts';
import type { FieldKind, SegmentData } from './segment-data.ts';
import { StringTable } from './string-table.ts';

/** Every field that occurs, with its kind, sorted by name: segments of equal documents are equal. */
function occurringFields(documents: readonly BufferedDocument[]): [string, FieldKind][] {
  const kinds = new Map<string, FieldKind>();
  for (const document of documents) for (const field of document.fields) kinds.set(field.name, field.kind);
  return [...kinds].sort(([a], [b]) => compareByBytes(a, b));
}

function textField(documents: readonly BufferedDocument[], name: string, vocabulary: Vocabulary): FieldParts {
  const fields = fieldOf(documents, name, 'text');
  const lengths = Uint32Array.from(fields, (field) => {
    let length = 0;
    for (const token of field?.tokens ?? []) if (token >= 0) length++;
    return length;
  });
  return { name, kind: 'text', lengths, postings: invertField(fields, vocabulary, lengths) };
}

function offsetsOf(fields: readonly ({ readonly length: number } | undefined)[]): Uint32Array {
  const offsets = new Uint32Array(fields.length + 1);
  for (let doc = 0; doc < fields.length; doc++) {
    offsets[doc + 1] = (offsets[doc] as number) + (fields[doc]?.length ?? 0);
  }
  return offsets;
}

function keywordField(documents: readonly BufferedDocument[], name: string, vocabulary: Vocabulary): FieldParts {
  const fields = fieldOf(documents, name, 'keyword');
  const postings = invertField(fields, vocabulary, null);
  const table = new StringTable(postings.termOffsets, postings.termBytes);
  const ordinals = new Map<number, number>();
  for (let ordinal = 0; ordinal < table.size; ordinal++) ordinals.set(vocabulary.idOf(table.at(ordinal)), ordinal);
  const offsets = offsetsOf(fields.map((field) => field?.tokens));
  const values = new Uint32Array(offsets.at(-1) ?? 0);
  for (let doc = 0; doc < fields.length; doc++) {
    const own = Uint32Array.from(fields[doc]?.tokens ?? [], (token) => ordinals.get(token) ?? 0).sort();
    values.set(own, offsets[doc] as number);
  }
  return { name, kind: 'keyword', postings, values: { offsets, values } };
}

function numberField(documents: readonly BufferedDocument[], name: string): FieldParts {
  const fields = fieldOf(documents, name, 'number');
  const offsets = offsetsOf(fields.map((field) => field?.values));
  const values = new Float64Array(offsets.at(-1) ?? 0);
  for (let doc = 0; doc < fields.length; doc++) {
    const own = fields[doc]?.values;
    if (own !== undefined) values.set(own.slice().sort(), offsets[doc]);
  }
  return { name, kind: 'number', values: { offsets, values } };
}

function documentParts(documents: readonly BufferedDocument[]): DocumentParts {
  const storedOffsets = new Float64Array(documents.length + 1);
  for (const [doc, { source }] of documents.entries()) {
    storedOffsets[doc + 1] = (storedOffsets[doc] as number) + source.length;
  }
  const stored = new Uint8Array(storedOffsets[documents.length] as number);
  for (const [doc, { source }] of documents.entries()) stored.set(source, storedOffsets[doc]);
  return {
    ids: documents.map(({ id }) => id),
    versions: Uint32Array.from(documents, ({ version }) => version),
    seqNos: Float64Array.from(documents, ({ seqNo }) => seqNo),
    primaryTerms: Uint32Array.from(documents, ({ primaryTerm }) => primaryTerm),
    storedOffsets,
    stored,
  };
}

/**
 * Makes a segment of documents with distinct ids. Documents are numbered in the order of their ids, so that within a
 * segment the order of numbers is the order that breaks ties between equal scores.
 * `vocabularies`: by field name, those that the documents' tokens refer to.
 */
export function buildSegment(
  unsorted: readonly BufferedDocument[],
  vocabularies: ReadonlyMap<string, Vocabulary>,
): SegmentData {
  const documents = [...unsorted].sort((a, b) => compareByBytes(a.id, b.id));
  const fields = occurringFields(documents).map(([name, kind]): FieldParts => {
    const vocabulary = vocabularies.get(name);
    if (kind === 'number' || vocabulary === undefined) return numberField(documents, name);
    return kind === 'text' ? textField(documents, name, vocabulary) : keywordField(documents, name, vocabulary);
  });
  return assembleSegment(documentParts(documents), fields);
}
