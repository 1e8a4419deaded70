import type { BufferedDocument, BufferedField, Vocabulary } from './buffered-document.ts';
import { orderByBytes } from './byte-order.ts';
import { type FieldPostings, PostingsWriter } from './postings-writer.ts';

/** The occurrences of one field's terms, term by term, in three flat arrays. */
interface Inverted {
  /** Per term: where its postings start; one entry more than terms. */
  readonly postingStart: Int32Array;
  /** Per term: where its positions start. */
  readonly positionStart: Int32Array;
  readonly docs: Int32Array;
  readonly frequencies: Int32Array;
  readonly positions: Int32Array;
}

/** The field of each document that has it. Documents are in the segment's order. */
export type FieldOfDocuments<K extends BufferedField['kind']> = readonly (
  Extract<BufferedField, { kind: K }> | undefined
)[];

export function fieldOf<K extends BufferedField['kind']>(
  documents: readonly BufferedDocument[],
  name: string,
  kind: K,
): FieldOfDocuments<K> {
  return documents.map(
    (document) =>
      document.fields.find((field) => field.name === name && field.kind === kind) as
        Extract<BufferedField, { kind: K }> | undefined,
  );
}

type TokenFields = readonly ({ readonly tokens: Int32Array } | undefined)[];

/** First pass: how many documents and occurrences each term has, as starting places. */
function count(fields: TokenFields, terms: number): { postingStart: Int32Array; positionStart: Int32Array } {
  const postingStart = new Int32Array(terms + 1);
  const positionStart = new Int32Array(terms + 1);
  const lastDoc = new Int32Array(terms).fill(-1);
  for (let doc = 0; doc < fields.length; doc++) {
    const tokens = fields[doc]?.tokens;
    if (tokens === undefined) continue;
    for (const term of tokens) {
      if (term < 0) continue;
      positionStart[term + 1] = (positionStart[term + 1] as number) + 1;
      if (lastDoc[term] === doc) continue;
      lastDoc[term] = doc;
      postingStart[term + 1] = (postingStart[term + 1] as number) + 1;
    }
  }
  for (let term = 0; term < terms; term++) {
    postingStart[term + 1] = (postingStart[term + 1] as number) + (postingStart[term] as number);
    positionStart[term + 1] = (positionStart[term + 1] as number) + (positionStart[term] as number);
  }
  return { postingStart, positionStart };
}

/** Second pass: every occurrence goes to its term's place, ascending by document and position. */
function invert(fields: TokenFields, terms: number): Inverted {
  const { postingStart, positionStart } = count(fields, terms);
  const docs = new Int32Array(postingStart[terms] as number);
  const frequencies = new Int32Array(docs.length);
  const positions = new Int32Array(positionStart[terms] as number);
  const nextPosting = postingStart.slice();
  const nextPosition = positionStart.slice();
  for (let doc = 0; doc < fields.length; doc++) {
    let position = 0;
    for (const term of fields[doc]?.tokens ?? []) {
      if (term < 0) {
        position -= term;
        continue;
      }
      let posting = nextPosting[term] as number;
      if (posting > (postingStart[term] as number) && docs[posting - 1] === doc) {
        posting--;
      } else {
        docs[posting] = doc;
        nextPosting[term] = posting + 1;
      }
      frequencies[posting] = (frequencies[posting] as number) + 1;
      positions[nextPosition[term] as number] = position++;
      nextPosition[term] = (nextPosition[term] as number) + 1;
    }
  }
  return { postingStart, positionStart, docs, frequencies, positions };
}

/** The inverted index of one field of the documents. `lengths`: null for keywords, which get no positions either. */
export function invertField(fields: TokenFields, vocabulary: Vocabulary, lengths: Uint32Array | null): FieldPostings {
  const inverted = invert(fields, vocabulary.terms.length);
  const writer = new PostingsWriter(lengths);
  for (const id of orderByBytes(vocabulary.terms)) {
    const from = inverted.postingStart[id] as number;
    const to = inverted.postingStart[id + 1] as number;
    const frequencies = inverted.frequencies.subarray(from, to);
    const postings = { docs: inverted.docs.subarray(from, to), frequencies, count: to - from };
    const positions = inverted.positions.subarray(inverted.positionStart[id], inverted.positionStart[id + 1]);
    writer.add(vocabulary.terms[id] as string, lengths === null ? postings : { ...postings, positions });
  }
  return writer.finish();
}
