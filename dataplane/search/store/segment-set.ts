import type { Mappings } from '../mapping/mappings.ts';
import type { ParsedField } from '../mapping/parse-document.ts';
import type { BufferedDocument } from '../segment/buffered-document.ts';
import { type Breathe, mergeSegments } from '../segment/merge.ts';
import { planMerge } from '../segment/merge-policy.ts';
import { openInMemory } from '../segment/segment.ts';
import { IndexBuffer } from './index-buffer.ts';
import { newEntry, type SegmentEntry } from './segment-entry.ts';

/** A buffer beyond either becomes a segment, so that no single step takes long. */
const bufferDocuments = 2000;
const bufferBytes = 4 * 1024 * 1024;

/** The current state of one document. */
export interface StoredDocument {
  readonly version: number;
  readonly seqNo: number;
  readonly primaryTerm: number;
  /** The JSON text of `_source`. */
  readonly source: Uint8Array;
}

/** All documents of a shard: a buffer of new ones, and segments. An id is live in one place at most. */
export class SegmentSet {
  #entries: SegmentEntry[];
  #buffer = new IndexBuffer();

  constructor(entries: SegmentEntry[] = []) {
    this.#entries = entries;
  }

  /** The segments, without the buffer. */
  get entries(): readonly SegmentEntry[] {
    return this.#entries;
  }

  get count(): number {
    return this.#entries.reduce((sum, { live }) => sum + live.count, this.#buffer.size);
  }

  get deleted(): number {
    return this.#entries.reduce((sum, { live }) => sum + live.log.length, 0);
  }

  get bytes(): number {
    return this.#entries.reduce(
      (sum, { segment }) => sum + segment.residentBytes + segment.stored.length,
      this.#buffer.bytes,
    );
  }

  find(id: string): StoredDocument | null {
    const buffered = this.#buffer.get(id);
    if (buffered !== undefined) return buffered;
    const place = this.#place(id);
    if (place === null) return null;
    const { entry, doc } = place;
    const { segment } = entry;
    return {
      version: segment.versions[doc] as number,
      seqNo: segment.seqNos[doc] as number,
      primaryTerm: segment.primaryTerms[doc] as number,
      get source() {
        return segment.source(doc);
      },
    };
  }

  put(document: Omit<BufferedDocument, 'fields'>, parsed: readonly ParsedField[], mappings: Mappings): void {
    this.delete(document.id);
    this.#buffer.put(document, parsed, mappings);
    if (this.#buffer.size >= bufferDocuments || this.#buffer.bytes >= bufferBytes) this.refresh();
  }

  delete(id: string): void {
    if (this.#buffer.delete(id)) return;
    const place = this.#place(id);
    place?.entry.live.delete(place.doc);
  }

  #place(id: string): { entry: SegmentEntry; doc: number } | null {
    for (const entry of this.#entries) {
      const doc = entry.segment.find(id);
      if (doc >= 0 && !entry.live.isDeleted(doc)) return { entry, doc };
    }
    return null;
  }

  /** Makes everything searchable: the buffer becomes a segment. */
  refresh(): readonly SegmentEntry[] {
    const data = this.#buffer.freeze();
    if (data !== null) this.#entries.push(newEntry(openInMemory(data)));
    if (data !== null || this.#buffer.bytes > 0) this.#buffer = new IndexBuffer();
    return this.#entries;
  }

  /** Merges once if the policy asks for it; says whether it did. Others may write and search meanwhile. */
  async mergeOnce(breathe: Breathe): Promise<boolean> {
    const chosen = planMerge(this.#entries.map(({ live }) => ({ live: live.count, deleted: live.log.length }))).map(
      (index) => this.#entries[index] as SegmentEntry,
    );
    if (chosen.length === 0) return false;
    const started = chosen.map(({ live }) => live.log.length);
    const inputs = chosen.map(({ segment, live }) => ({ segment, deleted: live.deleted.slice() }));
    const { data, maps } = await mergeSegments(inputs, breathe);
    const merged = newEntry(openInMemory(data));
    for (const [index, { live }] of chosen.entries()) {
      for (const old of live.log.slice(started[index])) {
        const doc = maps[index]?.[old] ?? -1;
        if (doc >= 0) merged.live.delete(doc);
      }
    }
    const rest = this.#entries.filter((entry) => !chosen.includes(entry));
    this.#entries = data.docCount === 0 ? rest : [...rest, merged];
    return true;
  }
}
