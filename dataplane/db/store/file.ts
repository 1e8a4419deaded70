import { open, type Database, type RootDatabase } from 'lmdb';
import type { Position } from '../../replica/state-machine.ts';
import { FileState, storedElement, storedKey, type FileTables } from './file-state.ts';
import { everything, holds, type KeyBounds } from './key-range.ts';
import type { Layer } from './layer.ts';
import { decodeRow, encodeRow, expiryOf, generationOf } from './row.ts';
import { StoreError } from './store-error.ts';

/** Room in the address space, not on the disk: 64 GiB. */
const mapBytes = 2 ** 36;
/** Read transactions at once: those of history, snapshots that peers pull, and the usual one. */
const maxReaders = 256;
const binary = { keyEncoding: 'binary', encoding: 'binary', cache: false } as const;
/** Values of index tables say nothing; their keys do. */
const mark = Buffer.from([1]);
/** Format of the file: 1 had strings only; its rows are the same. */
const newestFormat = 2;
/** For each key that is due it looks at so many at most. */
const looksPerFound = 20;
/** Elements of dropped collections that one commit removes. */
const sweptPerCommit = 2_000;

const about = { position: 'position', format: 'format', generation: 'generation' } as const;

/** Key of the expiry index: time, then key, so that the index is in order of time. */
const expiryKey = (at: number, key: string): Buffer => {
  const bytes = Buffer.allocUnsafe(8 + key.length);
  bytes.writeDoubleBE(at, 0);
  bytes.write(key, 8, 'latin1');
  return bytes;
};

/** A reader that sees one state of the file. */
export interface FileReader {
  readonly state: FileState;
  readonly position: Position | null;
  /** Highest generation that was given away until then. */
  readonly generation: number;
  /** Notes as they were then. */
  notes(): Iterable<{ name: string; value: Buffer }>;
  close(): void;
}

/**
 * The store's file: an LMDB environment with rows, elements of collections, an index of what expires, and the position
 * in the log.
 *
 * A commit is one LMDB transaction. It is not waited for on the disk: LMDB (its overlapping sync) flushes after
 * the commit and only then moves the pointer to the newest flushed state. So a killed process finds its last commit,
 * and a machine that lost power finds an earlier commit, whole, with the position that belongs to it. The log holds
 * the rest. What must not happen is that the log is trimmed beyond {@link flushed}.
 *
 * A collection that is removed or replaced only loses its row. Its elements cannot be reached any more and are swept
 * by later commits, some at a time. What is swept when differs between replicas and shows nowhere.
 */
export class StoreFile {
  /** What it holds now. */
  readonly state: FileState;
  readonly #env: RootDatabase<unknown, string>;
  readonly #tables: FileTables;
  readonly #expiries: Database<Buffer, Buffer>;
  /** Generations whose elements are to be swept. */
  readonly #dropped: Database<Buffer, Buffer>;
  readonly #notes: Database<Buffer, string>;
  readonly #about: Database<Position | number, string>;
  #lastPart: Promise<boolean> | null = null;

  /** @throws StoreError newer-format */
  constructor(dir: string) {
    this.#env = open<unknown, string>({ path: dir, mapSize: mapBytes, maxDbs: 8, maxReaders });
    const table = (name: string): Database<Buffer, Buffer> => this.#env.openDB<Buffer, Buffer>({ name, ...binary });
    this.#tables = { rows: table('rows'), elements: table('elements') };
    this.#expiries = table('expiries');
    this.#dropped = table('dropped');
    this.#notes = this.#env.openDB<Buffer, string>({ name: 'notes', encoding: 'binary', cache: false });
    this.#about = this.#env.openDB<Position | number, string>({ name: 'about', encoding: 'json', cache: false });
    this.state = new FileState(this.#tables);
    this.#checkFormat(dir);
  }

  get position(): Position | null {
    return (this.#about.get(about.position) as Position | undefined) ?? null;
  }

  /** Highest generation that was ever given away. */
  get generation(): number {
    return (this.#about.get(about.generation) as number | undefined) ?? 0;
  }

  /** All notes. */
  get notes(): Map<string, Buffer> {
    return new Map([...this.#notes.getRange()].map(({ key, value }) => [key, Buffer.from(value)]));
  }

  /** Number of keys, expired ones that are not removed yet included. */
  get keys(): number {
    return entries(this.#tables.rows);
  }

  /** Number of keys with a time to live. */
  get expiring(): number {
    return entries(this.#expiries);
  }

  /** Bytes of the pages that hold rows and elements. */
  get bytes(): number {
    return pageBytes(this.#tables.rows) + pageBytes(this.#tables.elements);
  }

  /** Whether there are elements that commits have to sweep. */
  get untidy(): boolean {
    return entries(this.#dropped) > 0;
  }

  /** Commits a layer and the position it leads to, in one transaction. Null: a part, the position comes with a later one. */
  async commit(layer: Layer, position: Position | null): Promise<void> {
    if (layer.cleared) {
      this.#env.transactionSync(() => {
        for (const table of [this.#tables.rows, this.#tables.elements, this.#expiries, this.#dropped])
          table.clearSync();
        this.#write(layer, position);
      });
    } else await this.#batch(() => this.#write(layer, position));
    // A reader of this turn may be older than the commit.
    this.#env.resetReadTxn();
  }

  /** Resolves when everything committed so far would survive a loss of power. */
  async flushed(): Promise<void> {
    await this.#env.flushed;
  }

  /**
   * Up to `limit` keys of a range that expire at a time (milliseconds, integral) or before it, earliest first. Of very many
   * that are not of the range it looks at the first only.
   */
  due(time: number, limit: number, range: KeyBounds = everything): { key: string; at: number }[] {
    const end = expiryKey(time + 1, '');
    const found: { key: string; at: number }[] = [];
    for (const bytes of this.#expiries.getKeys({ end, limit: limit * looksPerFound })) {
      const key = bytes.toString('latin1', 8);
      if (holds(range, key)) found.push({ key, at: bytes.readDoubleBE(0) });
      if (found.length === limit) break;
    }
    return found;
  }

  /** A reader of the present state; it keeps its pages from being used again, so close it. */
  reader(): FileReader {
    const transaction = this.#tables.rows.useReadTransaction();
    const notes = this.#notes;
    return {
      state: new FileState(this.#tables, transaction),
      position: (this.#about.get(about.position, { transaction }) as Position | undefined) ?? null,
      generation: (this.#about.get(about.generation, { transaction }) as number | undefined) ?? 0,
      *notes() {
        for (const { key, value } of notes.getRange({ transaction })) yield { name: key, value };
      },
      close: () => transaction.done(),
    };
  }

  close(): Promise<void> {
    return this.#env.close();
  }

  async #batch(write: () => void): Promise<void> {
    try {
      await this.#env.batch(write);
    } catch (error) {
      // LMDB's own reason is a rejected promise on the error.
      const { commitError } = error as { commitError?: Promise<never> };
      const reason = await Promise.resolve(commitError).catch((cause: unknown) => cause);
      throw reason instanceof Error ? reason : error;
    }
  }

  #checkFormat(dir: string): void {
    const format = (this.#about.get(about.format) as number | undefined) ?? 1;
    if (format > newestFormat) {
      throw new StoreError('newer-format', `${dir} has format ${format}; this version reads up to ${newestFormat}`);
    }
    if (format < newestFormat) this.#about.putSync(about.format, newestFormat);
  }

  /** The batch tells whether it was committed; the promises of its parts must not be left to reject by themselves. */
  #part(written: Promise<boolean>): void {
    if (written === this.#lastPart) return;
    this.#lastPart = written;
    written.catch(() => {});
  }

  #write(layer: Layer, position: Position | null): void {
    if (!layer.cleared) this.#sweep();
    this.#writeElements(layer, this.#writeRows(layer));
    for (const [name, value] of layer.notes)
      this.#part(value ? this.#notes.put(name, value) : this.#notes.remove(name));
    if (layer.generation > this.generation) this.#part(this.#about.put(about.generation, layer.generation));
    if (position !== null) this.#part(this.#about.put(about.position, position));
  }

  /** Writes rows. Answers the generations that no row has any more; one that only moved to another key is not among them. */
  #writeRows(layer: Layer): ReadonlySet<number> {
    const { indexed, replaces } = this.#interest(layer);
    const [left, kept] = [new Set(layer.left), new Set([0])];
    for (const [key, row] of layer.rows) {
      const at = storedKey(key);
      const old = replaces ? this.#tables.rows.getBinary(at) : undefined;
      this.#index(key, indexed ? old : undefined, row?.expireAt ?? 0);
      if (old) left.add(generationOf(decodeRow(old)));
      kept.add(generationOf(row));
      this.#part(row ? this.#tables.rows.put(at, encodeRow(row)) : this.#tables.rows.remove(at));
    }
    return new Set([...left].filter((generation) => !kept.has(generation)));
  }

  /** Whether it matters for the index of expiries, or at all, what rows are replaced. */
  #interest({ cleared }: Layer): { indexed: boolean; replaces: boolean } {
    const indexed = !cleared && this.expiring > 0;
    return { indexed, replaces: indexed || (!cleared && entries(this.#tables.elements) > 0) };
  }

  /** Writes elements, except those of collections that are gone by now. */
  #writeElements(layer: Layer, gone: ReadonlySet<number>): void {
    for (const generation of gone) this.#part(this.#dropped.put(storedElement(generation, ''), mark));
    for (const [generation, table] of layer.elements) {
      if (gone.has(generation)) continue;
      for (const [name, value] of table) {
        const at = storedElement(generation, name);
        this.#part(value === null ? this.#tables.elements.remove(at) : this.#tables.elements.put(at, value));
      }
    }
  }

  /** Removes some elements that nobody can reach any more. */
  #sweep(): void {
    let left = sweptPerCommit;
    if (!this.untidy) return;
    for (const generation of this.#dropped.getKeys({ limit: 100 })) {
      const end = storedElement(generation.readDoubleBE(0) + 1, '');
      let swept = 0;
      for (const key of this.#tables.elements.getKeys({ start: generation, end, limit: left })) {
        this.#part(this.#tables.elements.remove(key));
        swept++;
      }
      if (swept === left) return;
      left -= swept;
      this.#part(this.#dropped.remove(generation));
    }
  }

  /** Keeps exactly one index entry for a key that expires. */
  #index(key: string, old: Buffer | undefined, expireAt: number): void {
    const before = old ? expiryOf(old) : 0;
    if (before === expireAt) return;
    if (before !== 0) this.#part(this.#expiries.remove(expiryKey(before, key)));
    if (expireAt !== 0) this.#part(this.#expiries.put(expiryKey(expireAt, key), mark));
  }
}

const statsOf = (database: Database<Buffer, Buffer>): Readonly<Record<string, number>> =>
  database.getStats() as Readonly<Record<string, number>>;

const entries = (database: Database<Buffer, Buffer>): number => statsOf(database)['entryCount'] ?? 0;

const pageBytes = (database: Database<Buffer, Buffer>): number => {
  const stats = statsOf(database);
  const pages = (stats['treeBranchPageCount'] ?? 0) + (stats['treeLeafPageCount'] ?? 0) + (stats['overflowPages'] ?? 0);
  return pages * (stats['pageSize'] ?? 4096);
};
