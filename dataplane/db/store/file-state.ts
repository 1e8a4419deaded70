import type { Database, Transaction } from 'lmdb';
import type { Element, NamedRow, Range, ReadState } from './reading.ts';
import { decodeRow, type Row } from './row.ts';

/** Tables of the file that reads go to. */
export interface FileTables {
  readonly rows: Database<Buffer, Buffer>;
  readonly elements: Database<Buffer, Buffer>;
}

/** Keys are stored behind one byte, because LMDB has no empty key. */
export const storedKey = (key: string): Buffer => {
  const bytes = Buffer.allocUnsafe(key.length + 1);
  bytes[0] = 1;
  bytes.write(key, 1, 'latin1');
  return bytes;
};

export const bareKey = (bytes: Buffer): string => bytes.toString('latin1', 1);

/** Elements lie in order of generation, then name. */
export const storedElement = (generation: number, name: string): Buffer => {
  const bytes = Buffer.allocUnsafe(8 + name.length);
  bytes.writeDoubleBE(generation, 0);
  bytes.write(name, 8, 'latin1');
  return bytes;
};

interface Bounds {
  readonly start: Buffer;
  readonly end: Buffer;
  readonly reverse?: boolean;
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
}

/** How LMDB is told to walk from `low` (inclusive) to `high` (exclusive), or back. */
const bounds = (low: Buffer, high: Buffer, reverse: boolean | undefined): Bounds =>
  reverse ? { start: high, end: low, reverse, exclusiveStart: true, inclusiveEnd: true } : { start: low, end: high };

/** Behind all keys. */
const lastKey = Buffer.from([2]);

const rowBounds = ({ from, to, reverse }: Range): Bounds =>
  bounds(storedKey(from ?? ''), to === undefined ? lastKey : storedKey(to), reverse);

const elementBounds = (generation: number, { from, to, reverse }: Range): Bounds =>
  bounds(
    storedElement(generation, from ?? ''),
    to === undefined ? storedElement(generation + 1, '') : storedElement(generation, to),
    reverse,
  );

const isEmpty = ({ from, to }: Range): boolean => to !== undefined && to <= (from ?? '');

/** What a file holds: now, or as a read transaction saw it. */
export class FileState implements ReadState {
  readonly #tables: FileTables;
  readonly #pinned: { readonly transaction: Transaction } | undefined;

  constructor(tables: FileTables, transaction?: Transaction) {
    this.#tables = tables;
    this.#pinned = transaction && { transaction };
  }

  get(key: string): Row | undefined {
    const record = this.#read(this.#tables.rows, storedKey(key));
    return record === undefined ? undefined : decodeRow(record);
  }

  *rows(range: Range): Generator<NamedRow> {
    for (const { key, record } of this.records(range)) yield { key, row: decodeRow(record) };
  }

  /** Number of rows in a range. Costs a step for each, though a small one. */
  countRows({ from, to }: Range): number {
    if (isEmpty({ from, to })) return 0;
    return this.#tables.rows.getKeysCount({ ...rowBounds({ from, to }), ...this.#pinned });
  }

  /** Rows behind so many others, which are skipped fast. */
  *rowsFrom(offset: number, reverse: boolean): Generator<NamedRow> {
    const where = { ...rowBounds({ reverse }), offset, ...this.#pinned };
    for (const { key, value } of this.#tables.rows.getRange(where)) yield { key: bareKey(key), row: decodeRow(value) };
  }

  /** Rows as they are stored. */
  *records(range: Range): Generator<{ key: string; record: Buffer }> {
    if (isEmpty(range)) return;
    for (const { key, value } of this.#tables.rows.getRange({ ...rowBounds(range), ...this.#pinned })) {
      yield { key: bareKey(key), record: value };
    }
  }

  element(generation: number, name: string): Buffer | undefined {
    return this.#read(this.#tables.elements, storedElement(generation, name));
  }

  *elements(generation: number, range: Range): Generator<Element> {
    if (isEmpty(range)) return;
    const where = { ...elementBounds(generation, range), ...this.#pinned };
    for (const { key, value } of this.#tables.elements.getRange(where))
      yield { name: key.toString('latin1', 8), value };
  }

  countElements(generation: number, { from, to }: Range): number {
    if (isEmpty({ from, to })) return 0;
    return this.#tables.elements.getKeysCount({ ...elementBounds(generation, { from, to }), ...this.#pinned });
  }

  #read(table: Database<Buffer, Buffer>, key: Buffer): Buffer | undefined {
    return this.#pinned === undefined ? table.getBinary(key) : table.get(key, this.#pinned);
  }
}
