import { compareByBytes } from './byte-order.ts';
import type { Segment } from './segment.ts';
import type { DocumentParts } from './segment-assembly.ts';

/** A segment to be merged, and which of its documents are gone. */
export interface MergeInput {
  readonly segment: Segment;
  /** One bit a document; a copy, so that deletions during the merge do not change it. */
  readonly deleted: Uint32Array;
}

/** Where the documents of the new segment come from. */
export interface DocumentOrder {
  readonly count: number;
  /** Per new document: its input and its number there. */
  readonly fromInput: Uint16Array;
  readonly fromDoc: Uint32Array;
  /** Per input and old document: the new number, or -1. */
  readonly maps: readonly Int32Array[];
  readonly ids: readonly string[];
}

/** Called now and then by long work; waits a moment when it has run for long. */
export type Breathe = () => Promise<void>;

const isDeleted = (deleted: Uint32Array, doc: number): boolean =>
  ((deleted[doc >>> 5] as number) & (1 << (doc & 31))) !== 0;

/** The live documents of one input in order. */
class IdReader {
  readonly input: MergeInput;
  readonly index: number;
  doc = -1;
  id = '';

  constructor(input: MergeInput, index: number) {
    this.input = input;
    this.index = index;
  }

  next(): boolean {
    const { segment, deleted } = this.input;
    do this.doc++;
    while (this.doc < segment.docCount && isDeleted(deleted, this.doc));
    if (this.doc >= segment.docCount) return false;
    this.id = segment.idOf(this.doc);
    return true;
  }
}

/** Merges the ids of all inputs. An id is live in one input at most. */
export async function orderDocuments(inputs: readonly MergeInput[], breathe: Breathe): Promise<DocumentOrder> {
  const total = inputs.reduce((sum, { segment }) => sum + segment.docCount, 0);
  const maps = inputs.map(({ segment }) => new Int32Array(segment.docCount).fill(-1));
  const fromInput = new Uint16Array(total);
  const fromDoc = new Uint32Array(total);
  const ids: string[] = [];
  let readers = inputs.map((input, index) => new IdReader(input, index)).filter((reader) => reader.next());
  while (readers.length > 0) {
    let least = readers[0] as IdReader;
    for (const reader of readers) if (compareByBytes(reader.id, least.id) < 0) least = reader;
    (maps[least.index] as Int32Array)[least.doc] = ids.length;
    fromInput[ids.length] = least.index;
    fromDoc[ids.length] = least.doc;
    ids.push(least.id);
    if (!least.next()) readers = readers.filter((reader) => reader !== least);
    if ((ids.length & 0x3ff) === 0) await breathe();
  }
  return { count: ids.length, fromInput, fromDoc, maps, ids };
}

/** Copies what is stored per document, in the new order. */
export async function mergeDocuments(
  inputs: readonly MergeInput[],
  order: DocumentOrder,
  breathe: Breathe,
): Promise<DocumentParts> {
  const { count, fromInput, fromDoc, ids } = order;
  const storedOffsets = new Float64Array(count + 1);
  const versions = new Uint32Array(count);
  const seqNos = new Float64Array(count);
  const primaryTerms = new Uint32Array(count);
  for (let doc = 0; doc < count; doc++) {
    const { segment } = inputs[fromInput[doc] as number] as MergeInput;
    const old = fromDoc[doc] as number;
    storedOffsets[doc + 1] = (storedOffsets[doc] as number) + segment.sourceLength(old);
    versions[doc] = segment.versions[old] as number;
    seqNos[doc] = segment.seqNos[old] as number;
    primaryTerms[doc] = segment.primaryTerms[old] as number;
  }
  const stored = new Uint8Array(storedOffsets[count] as number);
  for (let doc = 0; doc < count; doc++) {
    const { segment } = inputs[fromInput[doc] as number] as MergeInput;
    stored.set(segment.source(fromDoc[doc] as number), storedOffsets[doc]);
    if ((doc & 0xff) === 0) await breathe();
  }
  return { ids, versions, seqNos, primaryTerms, storedOffsets, stored };
}
