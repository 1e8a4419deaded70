import { open, type Database, type RootDatabase } from 'lmdb';
import type { Position } from '../../replica/state-machine.ts';
import type { Layer } from './layer.ts';
import type { SnapshotRecord } from './snapshot-codec.ts';
import { decodeRow, encodeRow, expiryOf, type Row } from './row.ts';

/** Room in the address space, not on the disk: 64 GiB. */
const mapBytes = 2 ** 36;
const binary = { keyEncoding: 'binary', encoding: 'binary', cache: false } as const;
/** Values of the expiry index say nothing; its keys do. */
const mark = Buffer.from([1]);
const positionKey = 'position';

/** Keys are stored behind one byte, because LMDB has no empty key and because other kinds of records may come. */
const stored = (key: string): Buffer => {
  const bytes = Buffer.allocUnsafe(key.length + 1);
  bytes[0] = 1;
  bytes.write(key, 1, 'latin1');
  return bytes;
};

const bare = (bytes: Buffer): string => bytes.toString('latin1', 1);

/** Key of the expiry index: time, then key, so that the index is in order of time. */
const expiryKey = (at: number, key: string): Buffer => {
  const bytes = Buffer.allocUnsafe(8 + key.length);
  bytes.writeDoubleBE(at, 0);
  bytes.write(key, 8, 'latin1');
  return bytes;
};

/** A reader that sees one state of the file. */
export interface FileReader {
  readonly position: Position | null;
  /** All rows as they are stored, in order of their keys, then the notes. */
  records(): Iterable<SnapshotRecord>;
  close(): void;
}

/**
 * The store's file: an LMDB environment with rows, an index of what expires, and the position in the log.
 *
 * A commit is one LMDB transaction. It is not waited for on the disk: LMDB (its overlapping sync) flushes after
 * the commit and only then moves the pointer to the newest flushed state. So a killed process finds its last commit,
 * and a machine that lost power finds an earlier commit, whole, with the position that belongs to it. The log holds
 * the rest. What must not happen is that the log is trimmed beyond {@link flushed}.
 */
export class StoreFile {
  readonly #env: RootDatabase<unknown, string>;
  readonly #rows: Database<Buffer, Buffer>;
  readonly #expiries: Database<Buffer, Buffer>;
  readonly #notes: Database<Buffer, string>;
  readonly #about: Database<Position, string>;

  constructor(dir: string) {
    this.#env = open<unknown, string>({ path: dir, mapSize: mapBytes, maxDbs: 8 });
    this.#rows = this.#env.openDB<Buffer, Buffer>({ name: 'rows', ...binary });
    this.#expiries = this.#env.openDB<Buffer, Buffer>({ name: 'expiries', ...binary });
    this.#notes = this.#env.openDB<Buffer, string>({ name: 'notes', encoding: 'binary', cache: false });
    this.#about = this.#env.openDB<Position, string>({ name: 'about', encoding: 'json', cache: false });
  }

  get position(): Position | null {
    return this.#about.get(positionKey) ?? null;
  }

  /** All notes. */
  get notes(): Map<string, Buffer> {
    return new Map([...this.#notes.getRange()].map(({ key, value }) => [key, Buffer.from(value)]));
  }

  /** Number of keys, expired ones that are not removed yet included. */
  get keys(): number {
    return entries(this.#rows);
  }

  /** Number of keys with a time to live. */
  get expiring(): number {
    return entries(this.#expiries);
  }

  /** Bytes of the pages that hold rows. */
  get bytes(): number {
    const stats = this.#rows.getStats() as Readonly<Record<string, number>>;
    const pages =
      (stats['treeBranchPageCount'] ?? 0) + (stats['treeLeafPageCount'] ?? 0) + (stats['overflowPages'] ?? 0);
    return pages * (stats['pageSize'] ?? 4096);
  }

  get(key: string): Row | undefined {
    const record = this.#rows.getBinary(stored(key));
    return record === undefined ? undefined : decodeRow(record);
  }

  /** Commits a layer and the position it leads to, in one transaction. Null: a part, the position comes with a later one. */
  async commit(layer: Layer, position: Position | null): Promise<void> {
    if (layer.cleared) {
      this.#env.transactionSync(() => {
        this.#rows.clearSync();
        this.#expiries.clearSync();
        this.#write(layer, position);
      });
    } else await this.#env.batch(() => this.#write(layer, position));
    // A reader of this turn may be older than the commit.
    this.#env.resetReadTxn();
  }

  /** Resolves when everything committed so far would survive a loss of power. */
  async flushed(): Promise<void> {
    await this.#env.flushed;
  }

  /** Up to `limit` keys that expire at a time (milliseconds, integral) or before it, earliest first. */
  due(time: number, limit: number): { key: string; at: number }[] {
    const end = expiryKey(time + 1, '');
    const found: { key: string; at: number }[] = [];
    for (const key of this.#expiries.getKeys({ end, limit }))
      found.push({ key: key.toString('latin1', 8), at: key.readDoubleBE(0) });
    return found;
  }

  /** Rows after a key (null: from the first), in order of bytes. */
  *after(key: string | null): Iterable<{ key: string; row: Row }> {
    const start = key === null ? stored('') : stored(`${key}\0`);
    for (const entry of this.#rows.getRange({ start })) yield { key: bare(entry.key), row: decodeRow(entry.value) };
  }

  /** A reader of the present state; it keeps its pages from being used again, so close it. */
  reader(): FileReader {
    const transaction = this.#rows.useReadTransaction();
    const [rows, notes] = [this.#rows, this.#notes];
    return {
      position: this.#about.get(positionKey, { transaction }) ?? null,
      *records() {
        for (const entry of rows.getRange({ transaction })) yield { key: bare(entry.key), record: entry.value };
        for (const { key, value } of notes.getRange({ transaction })) yield { key, record: value, note: true };
      },
      close: () => transaction.done(),
    };
  }

  close(): Promise<void> {
    return this.#env.close();
  }

  #write(layer: Layer, position: Position | null): void {
    const indexed = this.expiring > 0 && !layer.cleared;
    for (const [key, row] of layer.rows) {
      const at = stored(key);
      this.#index(key, indexed ? this.#rows.getBinary(at) : undefined, row?.expireAt ?? 0);
      if (row) void this.#rows.put(at, encodeRow(row));
      else void this.#rows.remove(at);
    }
    for (const [name, value] of layer.notes) {
      if (value) void this.#notes.put(name, value);
      else void this.#notes.remove(name);
    }
    if (position !== null) void this.#about.put(positionKey, position);
  }

  /** Keeps exactly one index entry for a key that expires. */
  #index(key: string, old: Buffer | undefined, expireAt: number): void {
    const before = old ? expiryOf(old) : 0;
    if (before === expireAt) return;
    if (before !== 0) void this.#expiries.remove(expiryKey(before, key));
    if (expireAt !== 0) void this.#expiries.put(expiryKey(expireAt, key), mark);
  }
}

const entries = (database: Database<Buffer, Buffer>): number =>
  (database.getStats() as Readonly<Record<string, number>>)['entryCount'] ?? 0;
