import type { Row } from '../store/row.ts';

/**
 * What a command works on: the committed state, what is in flight above it, and what this command has changed itself.
 * Keys are strings of one character a byte.
 */
export interface View {
  /** Milliseconds; the time that decides what has expired and when a TTL ends. */
  readonly now: number;
  /** The row of a key; undefined when there is none or it has expired. Its value may be a view: use it before the next call. */
  get(key: string): Row | undefined;
  /** Sets a value. `expireAt` 0 = never; with a time that has passed the key does not exist for anybody. */
  put(key: string, value: Buffer, expireAt: number): void;
  /** Removes a key. Removing what is not there costs a log entry: look first. */
  remove(key: string): void;
  /** Changes when a key expires, which has to exist; 0 = never. */
  expire(key: string, expireAt: number): void;
  /** Removes everything. */
  clear(): void;
}
