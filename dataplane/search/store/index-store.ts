import { Mappings, noMappings } from '../mapping/mappings.ts';
import { parseDocument } from '../mapping/parse-document.ts';
import type { Position } from '../../replica/state-machine.ts';
import { SearchError } from '../search-error.ts';
import { BoundedHistory } from './bounded-history.ts';
import type { IndexInfo, Manifest } from './manifest.ts';
import { decodeOperation, type DecodedOperation, type Operation } from './operation.ts';
import type { SegmentEntry } from './segment-entry.ts';
import { SegmentSet } from './segment-set.ts';

/** Deleted documents whose versions are remembered. */
const rememberedTombstones = 10_000;
/** Writes that can be asked for again by their nonce. */
const rememberedWrites = 4096;

/** What became of a write. */
export interface WriteRecord {
  readonly version: number;
  readonly seqNo: number;
  readonly result: string;
}

/** Version of a deleted document. */
export interface Tombstone {
  readonly version: number;
  readonly seqNo: number;
}

type OfType<T extends Operation['type']> = Extract<Operation, { type: T }>;

/** The state of one shard in memory. Changes only by operations of the log, in their order. */
export class IndexStore {
  index: IndexInfo | null = null;
  mappings = new Mappings(noMappings, 'plain');
  documents = new SegmentSet();
  readonly tombstones = new BoundedHistory<Tombstone>(rememberedTombstones);
  readonly writes = new BoundedHistory<WriteRecord>(rememberedWrites);
  maxSeqNo = -1;
  /** Sequence of the last log entry that changed the index. */
  changed = 0;
  position: Position | null = null;
  /** Bytes and operations applied since this store was opened. */
  appliedBytes = 0;
  appliedOperations = 0;

  /** The state that a manifest describes, with its segments already open. */
  static from(manifest: Manifest, entries: SegmentEntry[]): IndexStore {
    const store = new IndexStore();
    store.index = manifest.index;
    store.mappings = new Mappings(manifest.mappings, manifest.index?.analyzer ?? 'plain');
    store.documents = new SegmentSet(entries);
    store.maxSeqNo = manifest.maxSeqNo;
    store.changed = manifest.changed;
    store.position = manifest.position as Position;
    for (const [id, version, seqNo] of manifest.tombstones) store.tombstones.set(id, { version, seqNo });
    for (const [nonce, version, seqNo, result] of manifest.writes) store.writes.set(nonce, { version, seqNo, result });
    return store;
  }

  /** Applies one entry of the log. */
  apply(seq: number, term: number, operations: readonly Uint8Array[]): void {
    for (const bytes of operations) {
      this.#applyOne(decodeOperation(bytes), term);
      this.appliedBytes += bytes.length;
    }
    this.appliedOperations += operations.length;
    if (operations.length > 0) this.changed = seq;
  }

  #applyOne({ operation, source }: DecodedOperation, term: number): void {
    switch (operation.type) {
      case 'index':
        this.#put(operation, source, term);
        break;
      case 'delete':
        this.#delete(operation);
        break;
      case 'mappings':
        this.#addMappings(operation);
        break;
      default:
        this.#replaceIndex(operation);
        break;
    }
  }

  #addMappings({ mappings }: OfType<'mappings'>): void {
    this.mappings.dynamic = mappings.dynamic;
    try {
      this.mappings.add(mappings.fields);
    } catch (error) {
      // the primary has checked it; should it not fit all the same, it fits on no replica
      if (!(error instanceof SearchError)) throw error;
    }
  }

  #put({ id, version, seqNo, nonce, result }: OfType<'index'>, source: Uint8Array, primaryTerm: number): void {
    const json = JSON.parse(Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString()) as unknown;
    const { fields } = parseDocument(json, this.mappings, 'lenient');
    // the entry's buffer is shared with its other operations: keep a copy
    this.documents.put({ id, version, seqNo, primaryTerm, source: source.slice() }, fields, this.mappings);
    this.tombstones.delete(id);
    this.#remember(nonce, { version, seqNo, result });
  }

  #delete({ id, version, seqNo, nonce }: OfType<'delete'>): void {
    this.documents.delete(id);
    this.tombstones.set(id, { version, seqNo });
    this.#remember(nonce, { version, seqNo, result: 'deleted' });
  }

  #remember(nonce: string, record: WriteRecord): void {
    this.writes.set(nonce, record);
    this.maxSeqNo = Math.max(this.maxSeqNo, record.seqNo);
  }

  #replaceIndex(operation: OfType<'create-index' | 'drop-index'>): void {
    const created = operation.type === 'create-index' ? operation : null;
    this.index = created?.info ?? null;
    this.mappings = new Mappings(created?.mappings ?? noMappings, created?.info.analyzer ?? 'plain');
    this.documents = new SegmentSet();
    this.tombstones.clear();
    this.writes.clear();
    this.maxSeqNo = -1;
  }
}
