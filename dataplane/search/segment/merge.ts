import { compareByBytes } from './byte-order.ts';
import {
  type Breathe,
  type DocumentOrder,
  mergeDocuments,
  type MergeInput,
  orderDocuments,
} from './merge-documents.ts';
import { type FieldInput, mergePostings } from './merge-postings.ts';
import { assembleSegment, type FieldParts, type FieldValues } from './segment-assembly.ts';
import type { SegmentField } from './segment.ts';
import type { FieldKind, SegmentData } from './segment-data.ts';

export type { Breathe, MergeInput } from './merge-documents.ts';

/** The new segment, and per input where its documents went (-1: deleted before the merge began). */
export interface Merged {
  readonly data: SegmentData;
  readonly maps: readonly Int32Array[];
}

function fieldKinds(inputs: readonly MergeInput[]): [string, FieldKind][] {
  const kinds = new Map<string, FieldKind>();
  for (const { segment } of inputs) for (const [name, { meta }] of segment.fields) kinds.set(name, meta.kind);
  return [...kinds].sort(([a], [b]) => compareByBytes(a, b));
}

function mergeLengths(inputs: readonly MergeInput[], order: DocumentOrder, name: string): Uint32Array {
  const lengths = new Uint32Array(order.count);
  for (let doc = 0; doc < order.count; doc++) {
    const { segment } = inputs[order.fromInput[doc] as number] as MergeInput;
    lengths[doc] = segment.fields.get(name)?.lengths[order.fromDoc[doc] as number] ?? 0;
  }
  return lengths;
}

/** Turns the ordinals of one input into the new ones; null: values are numbers and stay. */
type Translation = Uint32Array | null;

function appendValues(values: number[], field: SegmentField, doc: number, translation: Translation): void {
  const to = field.valueOffsets[doc + 1] as number;
  for (let at = field.valueOffsets[doc] as number; at < to; at++) {
    const value = field.values[at] as number;
    values.push(translation === null ? value : (translation[value] as number));
  }
}

/** Values in the new order; `translations`: per input, for keywords. */
function mergeValues(
  inputs: readonly MergeInput[],
  order: DocumentOrder,
  name: string,
  translations: readonly (Uint32Array | undefined)[] | null,
): FieldValues {
  const offsets = new Uint32Array(order.count + 1);
  const values: number[] = [];
  for (let doc = 0; doc < order.count; doc++) {
    const input = order.fromInput[doc] as number;
    const field = (inputs[input] as MergeInput).segment.fields.get(name);
    if (field !== undefined) appendValues(values, field, order.fromDoc[doc] as number, translations?.[input] ?? null);
    offsets[doc + 1] = values.length;
  }
  return { offsets, values: translations === null ? Float64Array.from(values) : Uint32Array.from(values) };
}

interface FieldMerge {
  readonly inputs: readonly MergeInput[];
  readonly order: DocumentOrder;
  readonly breathe: Breathe;
}

async function mergeField({ inputs, order, breathe }: FieldMerge, name: string, kind: FieldKind): Promise<FieldParts> {
  if (kind === 'number') return { name, kind, values: mergeValues(inputs, order, name, null) };
  const having: number[] = [];
  const fields = inputs.flatMap(({ segment }, index): FieldInput[] => {
    const field = segment.fields.get(name);
    if (field === undefined) return [];
    having.push(index);
    return [{ field, map: order.maps[index] as Int32Array }];
  });
  if (kind === 'text') {
    const lengths = mergeLengths(inputs, order, name);
    const { postings } = await mergePostings(fields, lengths, breathe);
    return { name, kind, lengths, postings };
  }
  const { postings, termMaps } = await mergePostings(fields, null, breathe);
  const translate = inputs.map((_, index) => termMaps[having.indexOf(index)]);
  return { name, kind, postings, values: mergeValues(inputs, order, name, translate) };
}

/**
 * Merges segments into one without their deleted documents. Runs in slices: `breathe` is awaited often and may let others
 * run, so searches and writes go on meanwhile.
 */
export async function mergeSegments(inputs: readonly MergeInput[], breathe: Breathe): Promise<Merged> {
  const order = await orderDocuments(inputs, breathe);
  const documents = await mergeDocuments(inputs, order, breathe);
  const fields: FieldParts[] = [];
  for (const [name, kind] of fieldKinds(inputs)) fields.push(await mergeField({ inputs, order, breathe }, name, kind));
  return { data: assembleSegment(documents, fields), maps: order.maps };
}

/** A {@link Breathe} that lets other work run whenever `sliceMs` have gone by. */
export function timeSlices(sliceMs: number): Breathe {
  let until = performance.now() + sliceMs;
  return async () => {
    if (performance.now() < until) return;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + sliceMs;
  };
}
