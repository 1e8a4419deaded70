import { DbError } from '../db-error.ts';
import { maxElementBytes } from '../limits.ts';
import type { Frame } from '../resp/frame.ts';
import { decodeHead, encodeHead } from '../store/head.ts';
import type { Element, Range } from '../store/reading.ts';
import { valueType, type Row } from '../store/row.ts';
import type { View } from './view.ts';

const wrongType = (): DbError => new DbError('WRONGTYPE', 'Operation against a key holding the wrong kind of value');

/** The string at a key. @throws DbError WRONGTYPE */
export const stringAt = (view: View, key: string): Row | undefined => {
  const row = view.get(key);
  if (row && row.type !== valueType.string) throw wrongType();
  return row;
};

/** Argument `i` as a name of an element. @throws DbError when it is too long */
export const elementArgument = (frame: Frame, i: number): string => {
  const length = frame.lengthOf(i);
  if (length > maxElementBytes) {
    throw new DbError('ERR', `a field or member of ${length} bytes exceeds the limit of ${maxElementBytes} bytes`);
  }
  return frame.key(i);
};

/**
 * The collection at a key, for one command. One that does not exist is empty; it comes into being with its first
 * element and goes with its last. Call {@link save} after changes.
 */
export class Collection {
  readonly key: string;
  readonly existed: boolean;
  /** Number of elements as clients count them; kept by the command. */
  count: number;
  /** Lists: place of the first element. */
  first: number;
  readonly #view: View;
  readonly #type: number;
  readonly #expireAt: number;
  #generation: number;

  /** @throws DbError WRONGTYPE */
  constructor(view: View, key: string, type: number) {
    const row = view.get(key);
    if (row && row.type !== type) throw wrongType();
    const head = row ? decodeHead(row.value) : { generation: 0, count: 0, first: 0 };
    this.key = key;
    this.existed = row !== undefined;
    this.count = head.count;
    this.first = head.first;
    this.#view = view;
    this.#type = type;
    this.#expireAt = row?.expireAt ?? 0;
    this.#generation = head.generation;
  }

  get(name: string): Buffer | undefined {
    return this.#generation === 0 ? undefined : this.#view.element(this.#generation, name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, value: Buffer): void {
    if (this.#generation === 0) this.#generation = this.#view.newGeneration();
    this.#view.setElement(this.#generation, name, value);
  }

  remove(name: string): void {
    this.#view.setElement(this.#generation, name, null);
  }

  range(range: Range): Iterable<Element> {
    return this.#generation === 0 ? [] : this.#view.elements(this.#generation, range);
  }

  countRange(range: Range): number {
    return this.#generation === 0 ? 0 : this.#view.countElements(this.#generation, range);
  }

  /** Makes it empty, at once whatever its size; elements set afterwards are those of a new one. */
  reset(): void {
    this.#generation = 0;
    this.count = 0;
    this.first = 0;
  }

  /** Puts the row that tells about the elements, or removes the key when there is none. */
  save(): void {
    if (this.count > 0) {
      const head = { generation: this.#generation, count: this.count, first: this.first };
      this.#view.put(this.key, encodeHead(head), this.#expireAt, this.#type);
    } else if (this.existed) this.#view.remove(this.key);
  }
}
