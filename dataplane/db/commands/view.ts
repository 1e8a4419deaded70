import type { Element, Range } from '../store/reading.ts';
import type { Row } from '../store/row.ts';

/** How a command reaches the elements of a collection. A collection is known by its generation, which its row holds. */
export interface Elements {
  element(generation: number, name: string): Buffer | undefined;
  /** In the order of the bytes of their names, or backwards. The view must not be changed while they are walked over. */
  elements(generation: number, range: Range): Iterable<Element>;
  countElements(generation: number, range: Range): number;
  /** Sets an element (null: removes it). The row of its collection has to be put as well, in the same command. */
  setElement(generation: number, name: string, value: Buffer | null): void;
  /** A generation for a new collection. */
  newGeneration(): number;
}

/**
 * What a command works on: the committed state, what is in flight above it, and what this command has changed itself.
 * Keys are strings of one character a byte.
 */
export interface View extends Elements {
  /** Milliseconds; the time that decides what has expired and when a TTL ends. */
  readonly now: number;
  /** The row of a key; undefined when there is none or it has expired. Its value may be a view: use it before the next call. */
  get(key: string): Row | undefined;
  /**
   * Sets a value, of a type of `valueType` (a string when it is left out). `expireAt` 0 = never; with a time that has
   * passed the key does not exist for anybody.
   */
  put(key: string, value: Buffer, expireAt: number, type?: number): void;
  /** Removes a key. Removing what is not there costs a log entry: look first. */
  remove(key: string): void;
  /** Changes when a key expires, which has to exist; 0 = never. */
  expire(key: string, expireAt: number): void;
  /** Removes everything. */
  clear(): void;
}
