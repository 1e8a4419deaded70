import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CommittedEntry, Position, Snapshot } from '../../replica/state-machine.ts';
import { applyEffects } from './effects.ts';
import { StoreFile } from './file.ts';
import { History, type SnapshotView } from './history.ts';
import { Layer, layerTarget } from './layer.ts';
import { decodeRange, everything, overlap, rangeNote, straysNote, versionAt, type KeyRange } from './key-range.ts';
import { Layered } from './layered.ts';
import type { Element, NamedRow, Range, ReadState } from './reading.ts';
import type { Row } from './row.ts';
import { readSnapshot, writeSnapshot, type SnapshotRecord } from './snapshot-codec.ts';
import { StoreError } from './store-error.ts';

/** Committed changes stay in memory for about so long before they are written to the file together. */
const writeAfterMs = 100;
/** … or until they take this much. */
const writeAtBytes = 8 * 1024 * 1024;
/** With so much waiting behind a slow disk, applying waits too. */
const maxWaitingBytes = 16 * 1024 * 1024;
/** Records of a snapshot that are written in one transaction. */
const restoreRecords = 5_000;
/** While elements of dropped collections are left, a commit sweeps some of them this often, milliseconds. */
const sweepEveryMs = 50;

/**
 * Committed state of one shard: the file, and above it what was applied since the file's last commit. Writing many
 * entries in one transaction costs a third of writing each (fewer pages are touched), and since the log is what
 * makes a write durable, the file may be a few of them behind at any time. Its position always matches its rows.
 */
export class Store implements ReadState {
  readonly #dir: string;
  #file: StoreFile;
  #active = new Layer();
  /** Being written to the file. */
  #frozen: Layer | null = null;
  #notes: Map<string, Buffer>;
  #position: Position | null;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failure: unknown = null;
  #closed = false;
  #generation: number;
  #writes = 0;
  /** What {@link keyRange} was decoded from. */
  #decoded: Buffer | undefined;
  #keyRange: KeyRange | null = null;
  /** States before this sequence were those of another range. */
  #rangeSince = 0;
  readonly #history = new History();
  readonly #state = new Layered(
    () => (this.#frozen === null ? [this.#active] : [this.#active, this.#frozen]),
    () => this.#file.state,
  );

  /** Opens the store in a directory, empty when there is none. What an interrupted restore left is removed. */
  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    rmSync(this.#path('incoming'), { recursive: true, force: true });
    this.#file = new StoreFile(this.#path('current'));
    this.#notes = this.#file.notes;
    this.#position = this.#file.position;
    this.#generation = this.#file.generation;
    this.#history.pin(this.#file);
    this.#decodeRange();
  }

  /** The keys that the log gives to the shard; null: it does not say yet. What else is here clients never see. */
  get keyRange(): KeyRange | null {
    return this.#keyRange;
  }

  /** The part of a range of keys that belongs to the shard. */
  own({ from = '', to = '', reverse }: Range): Range {
    const { start, end } = overlap(this.#keyRange ?? everything, { start: from, end: to });
    return { from: start, to: end === '' ? undefined : end, reverse };
  }

  /** Place in the log of the state that {@link get} answers from. */
  get position(): Position | null {
    return this.#position;
  }

  /** Records of the shard itself, by name. */
  get notes(): ReadonlyMap<string, Buffer> {
    return this.#notes;
  }

  /** Highest generation that a collection was given so far. */
  get generation(): number {
    return this.#generation;
  }

  /** The row of a key, expired or not. */
  get(key: string): Row | undefined {
    return this.#state.get(key);
  }

  rows(range: Range): Iterable<NamedRow> {
    return this.#state.rows(range);
  }

  element(generation: number, name: string): Buffer | undefined {
    return this.#state.element(generation, name);
  }

  elements(generation: number, range: Range): Iterable<Element> {
    return this.#state.elements(generation, range);
  }

  countElements(generation: number, range: Range): number {
    return this.#state.countElements(generation, range);
  }

  /** Lowest sequence whose state can still be read; null before the first entry. */
  get oldest(): number | null {
    return this.#history.oldest;
  }

  /**
   * The state at a sequence of the log, to be read within this turn. It never changes, so any member may answer from it.
   * @throws StoreError too-old, not-yet
   */
  at(seq: number): SnapshotView {
    const newest = this.#position?.seq ?? 0;
    if (seq < this.#rangeSince) {
      throw new StoreError('too-old', `the range of the shard has changed at sequence ${this.#rangeSince}`);
    }
    if (seq > newest)
      throw new StoreError('not-yet', `sequence ${seq} is not applied here yet; the newest is ${newest}`);
    return this.#history.at(seq);
  }

  /** Applies entries in order. They are visible when it returns; it waits only when the disk cannot follow. */
  async apply(entries: readonly CommittedEntry[], position: Position): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    const below = { get: (key: string) => this.get(key), notes: this.#notes };
    const before = this.#active.writes;
    for (const entry of entries) {
      const version = versionAt(this.#keyRange, entry.seq);
      const target = layerTarget(this.#active, version, below);
      for (const operation of entry.operations) applyEffects(operation, target);
      this.#history.add(entry, version);
      if (this.#decodeRange()) this.#rangeSince = entry.seq;
    }
    this.#writes += this.#active.writes - before;
    this.#generation = Math.max(this.#generation, this.#active.generation);
    this.#position = position;
    if (this.#active.bytes > maxWaitingBytes) await this.flush();
    else this.#schedule();
  }

  /** Resolves when all that was applied before the call is committed to the file. */
  async flush(): Promise<void> {
    const wanted = this.#position;
    while (this.#writing !== null) await this.#writing;
    if (this.#file.position?.seq === wanted?.seq && this.#active.empty) return;
    await this.#write();
  }

  /** Resolves when all that was applied before the call would survive a loss of power. */
  async flushToDisk(): Promise<void> {
    await this.flush();
    await this.#file.flushed();
  }

  /**
   * Keys of the shard in the file: at most {@link writeAfterMs} old. Call {@link flush} first for the exact number.
   * While rows of other shards lie here, counting costs a step for each.
   */
  get keys(): number {
    return this.#notes.has(straysNote) ? this.#file.state.countRows(this.own({})) : this.#file.keys;
  }

  /** The file; call {@link flush} first. */
  get file(): StoreFile {
    return this.#file;
  }

  async snapshot(): Promise<Snapshot> {
    await this.flush();
    const reader = this.#file.reader();
    if (reader.position === null) {
      reader.close();
      throw new Error('an empty store has no snapshot');
    }
    return {
      position: reader.position,
      chunks: writeSnapshot(reader),
      release: async () => reader.close(),
    };
  }

  /** Replaces everything. Until the last step the old state is untouched; a crash in that step leaves an empty store. */
  async restore(position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const incoming = this.#path('incoming');
    rmSync(incoming, { recursive: true, force: true });
    const file = new StoreFile(incoming);
    try {
      await fill(file, position, chunks);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    await this.#settle();
    this.#history.clear();
    await this.#file.close();
    rmSync(this.#path('current'), { recursive: true, force: true });
    renameSync(incoming, this.#path('current'));
    this.#file = new StoreFile(this.#path('current'));
    this.#active = new Layer();
    this.#notes = this.#file.notes;
    this.#position = position;
    this.#generation = this.#file.generation;
    this.#history.pin(this.#file);
    if (this.#decodeRange()) this.#rangeSince = position.seq;
  }

  /** Rows and elements that were set or removed since the start. */
  get writes(): number {
    return this.#writes;
  }

  figures(): Record<string, number> {
    return { keys: this.#file.keys, expiring: this.#file.expiring, bytes: this.#file.bytes };
  }

  /** Writes what is in memory and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    await this.#settle();
    await this.#file.flushed();
    this.#history.clear();
    await this.#file.close();
  }

  /** Answers whether the shard has other keys than before. */
  #decodeRange(): boolean {
    const bytes = this.#notes.get(rangeNote);
    if (bytes === this.#decoded) return false;
    const before = this.#keyRange;
    this.#decoded = bytes;
    const now = bytes === undefined ? null : decodeRange(bytes);
    this.#keyRange = now;
    return before !== null && (before.start !== now?.start || before.end !== now.end);
  }

  #path(name: string): string {
    return join(this.#dir, name);
  }

  #schedule(afterMs = writeAfterMs): void {
    if (this.#active.bytes > writeAtBytes) void this.#write().catch(() => {});
    else this.#timer ??= setTimeout(() => void this.#write().catch(() => {}), afterMs);
  }

  /** Stops the timer and waits for a write that runs. */
  async #settle(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing?.catch(() => {});
  }

  /** Commits what is in memory, unless a commit runs: then the next one follows it. */
  #write(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing ??= this.#commit().finally(() => {
      this.#writing = null;
      if (this.#failure !== null) return;
      if (!this.#active.empty) this.#schedule();
      else if (this.#file.untidy && !this.#closed) this.#schedule(sweepEveryMs);
    });
    return this.#writing;
  }

  async #commit(): Promise<void> {
    const position = this.#position;
    if (position === null) return;
    this.#frozen = this.#active;
    this.#active = new Layer();
    try {
      await this.#file.commit(this.#frozen, position);
      this.#frozen = null;
      this.#history.pin(this.#file);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

const addRecord = (layer: Layer, record: SnapshotRecord): void => {
  if (record.kind === 'row') layer.set(record.key, record.row);
  else if (record.kind === 'element') layer.setElement(record.generation, record.name, record.value);
  else if (record.kind === 'note') layer.setNote(record.name, record.value);
  else layer.generation = record.generation;
};

/** Writes the records of a snapshot to a new file; the position comes with the last of them. */
const fill = async (file: StoreFile, position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
  let layer = new Layer();
  let records = 0;
  for await (const record of readSnapshot(chunks)) {
    addRecord(layer, record);
    if (++records < restoreRecords && layer.bytes < writeAtBytes) continue;
    await file.commit(layer, null);
    layer = new Layer();
    records = 0;
  }
  await file.commit(layer, position);
  await file.flushed();
};
