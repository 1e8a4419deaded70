import { compareByBytes } from './byte-order.ts';
import type { Breathe } from './merge-documents.ts';
import { PositionsReader } from './positions-reader.ts';
import type { PostingsCursor } from './postings-cursor.ts';
import { type FieldPostings, PostingsWriter } from './postings-writer.ts';
import type { SegmentField } from './segment.ts';

/** One field of one input, and where the input's documents go (-1: nowhere). */
export interface FieldInput {
  readonly field: SegmentField;
  readonly map: Int32Array;
}

/** The live postings of one input, term by term, with the new document numbers. */
class TermReader {
  doc = -1;
  frequency = 0;
  readonly #field: SegmentField;
  readonly #cursor: PostingsCursor;
  readonly #positions: PositionsReader;
  readonly #map: Int32Array;
  #index = -1;

  constructor({ field, map }: FieldInput) {
    this.#field = field;
    this.#cursor = field.cursor(0);
    this.#positions = new PositionsReader(this.#cursor);
    this.#map = map;
  }

  /** Goes to the first live posting of a term; false when there is none. */
  open(term: number): boolean {
    this.#cursor.reset(this.#field.place(term));
    this.#cursor.load(0);
    this.#cursor.loadFrequencies();
    this.#index = -1;
    return this.next();
  }

  next(): boolean {
    const cursor = this.#cursor;
    for (;;) {
      this.#index++;
      if (this.#index === cursor.count) {
        if (cursor.block + 1 === cursor.blocks) return false;
        cursor.load(cursor.block + 1);
        cursor.loadFrequencies();
        this.#index = 0;
      }
      this.doc = this.#map[cursor.docs[this.#index] as number] as number;
      if (this.doc < 0) continue;
      this.frequency = cursor.frequencies[this.#index] as number;
      return true;
    }
  }

  /** The positions of the posting at hand, in a reader that the next call fills anew. */
  positions(): PositionsReader {
    this.#positions.read(this.#index);
    return this.#positions;
  }
}

/** A term of the merged dictionary: where the inputs have it (-1: not). */
interface MergedTerm {
  readonly term: string;
  readonly places: readonly number[];
}

/** All terms of the inputs in order. */
function* mergeTerms(inputs: readonly FieldInput[]): Generator<MergedTerm> {
  const next = inputs.map(() => 0);
  const heads = inputs.map(({ field }) => (field.terms.size > 0 ? field.terms.at(0) : null));
  for (;;) {
    let least: string | null = null;
    for (const head of heads) {
      if (head !== null && (least === null || compareByBytes(head, least) < 0)) least = head;
    }
    if (least === null) return;
    const places = heads.map((head, index) => (head === least ? (next[index] as number) : -1));
    for (const [index, place] of places.entries()) {
      if (place < 0) continue;
      next[index] = place + 1;
      const { terms } = (inputs[index] as FieldInput).field;
      heads[index] = place + 1 < terms.size ? terms.at(place + 1) : null;
    }
    yield { term: least, places };
  }
}

const openReaders = (readers: readonly TermReader[], places: readonly number[]): TermReader[] =>
  readers.filter((reader, index) => {
    const place = places[index] as number;
    return place >= 0 && reader.open(place);
  });

/** Steps through several readers in the order of the new numbers. */
class Interleave {
  #readers: TermReader[];
  current: TermReader | undefined;

  constructor(readers: TermReader[]) {
    this.#readers = readers;
  }

  next(): boolean {
    const { current } = this;
    if (current !== undefined && !current.next()) this.#readers = this.#readers.filter((reader) => reader !== current);
    let least = this.#readers[0];
    for (const reader of this.#readers) if (least !== undefined && reader.doc < least.doc) least = reader;
    this.current = least;
    return least !== undefined;
  }
}

function grown(full: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(full.length * 2, length));
  larger.set(full);
  return larger;
}

/** Scratch that grows to the longest postings list met. */
class Gathered {
  docs = new Int32Array(1024);
  frequencies = new Int32Array(1024);
  positions = new Int32Array(1024);
  count = 0;
  positionCount = 0;

  gather(merged: Interleave, withPositions: boolean): void {
    this.count = 0;
    this.positionCount = 0;
    while (merged.next()) {
      if (this.count === this.docs.length) this.#grow();
      const reader = merged.current as TermReader;
      this.docs[this.count] = reader.doc;
      this.frequencies[this.count++] = reader.frequency;
      if (withPositions) this.#take(reader.positions());
    }
  }

  #take({ positions, length }: PositionsReader): void {
    const from = this.positionCount;
    const to = from + length;
    if (to > this.positions.length) this.positions = grown(this.positions, to);
    for (let i = 0; i < length; i++) this.positions[from + i] = positions[i] as number;
    this.positionCount = to;
  }

  #grow(): void {
    this.docs = grown(this.docs, this.count + 1);
    this.frequencies = grown(this.frequencies, this.count + 1);
  }
}

/** The merged inverted index, and per input the new place of each of its terms (for keywords' ordinals). */
export interface MergedPostings {
  readonly postings: FieldPostings;
  readonly termMaps: readonly Uint32Array[];
}

/** Merges one field. `lengths`: of the new documents; null for keywords. Terms without a live document vanish. */
export async function mergePostings(
  inputs: readonly FieldInput[],
  lengths: Uint32Array | null,
  breathe: Breathe,
): Promise<MergedPostings> {
  const writer = new PostingsWriter(lengths);
  const termMaps = inputs.map(({ field }) => new Uint32Array(field.terms.size));
  const readers = inputs.map((input) => new TermReader(input));
  const gathered = new Gathered();
  let written = 0;
  let postingsSinceBreath = 0;
  for (const { term, places } of mergeTerms(inputs)) {
    gathered.gather(new Interleave(openReaders(readers, places)), lengths !== null);
    const { docs, frequencies, count } = gathered;
    if (count > 0) {
      noteTerm(termMaps, places, written);
      const positions = gathered.positions.subarray(0, gathered.positionCount);
      writer.add(term, lengths === null ? { docs, frequencies, count } : { docs, frequencies, count, positions });
      written++;
    }
    postingsSinceBreath += count + 16;
    if (postingsSinceBreath > 4096) {
      postingsSinceBreath = 0;
      await breathe();
    }
  }
  return { postings: writer.finish(), termMaps };
}

function noteTerm(termMaps: readonly Uint32Array[], places: readonly number[], written: number): void {
  for (const [index, place] of places.entries()) if (place >= 0) (termMaps[index] as Uint32Array)[place] = written;
}
