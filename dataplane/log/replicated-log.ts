import type { EncodedEntry } from './entry.ts';

/** Bytes at a place of the log. */
export interface StoredEntry {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Which log it is and what it holds, as the leader of its storage says. */
export interface LogExtent {
  /** Creation time of the stream: the identity of the history. */
  readonly created: string;
  /** Sequence of the first entry that is still there; `last + 1` when there is none. */
  readonly first: number;
  /** Sequence of the last entry ever appended; 0 when there was none. */
  readonly last: number;
  readonly bytes: number;
}

/** How an append ended. */
export type AppendOutcome =
  /** The entry is in the log at `seq` = expected + 1. */
  | { readonly outcome: 'appended'; readonly seq: number }
  /** Another entry has that place, so this one can never have it. */
  | { readonly outcome: 'conflict'; readonly found: StoredEntry }
  /** The log ends before `expected`: an entry before this one is missing. It may be appended again. */
  | { readonly outcome: 'behind' }
  /** Refused for lack of space, or as too large; it is not in the log. */
  | { readonly outcome: 'full'; readonly message: string }
  /** It was not possible to find out in time: the entry may be in the log, or may yet arrive there. */
  | { readonly outcome: 'unresolved'; readonly message: string };

export interface ReadLimit {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * One totally ordered history of entries that several processes append to by compare-and-set.
 *
 * - An appended entry is durable and never changes its place; entries leave the log only by `trim`, from the front.
 * - Sequences are contiguous and start at 1.
 * - `append` is safe to repeat with the same entry: it is stored once at most at `expected + 1`. After `unresolved` it
 *   may still arrive, so whoever goes on must make sure that a late arrival does no harm (see `previous` in entries).
 * - Nothing that `read` or `tail` answers proves that it is the newest: only an `append` does. A barrier is therefore
 *   an append of an entry without operations, and belongs to whoever owns the term.
 */
export interface ReplicatedLog {
  /** Asks the leader; rejects with `unavailable`, `missing`. */
  extent(): Promise<LogExtent>;
  /** Appends the entry at `expected + 1`, or finds out why not, within `timeoutMs`. Several may be under way. */
  append(expected: number, entry: EncodedEntry, timeoutMs: number): Promise<AppendOutcome>;
  /** The entry at a sequence, from the leader; null when there is none (not yet, or no longer). */
  get(seq: number): Promise<StoredEntry | null>;
  /** Contiguous entries from `from` on, at least one if there is one; rejects with `trimmed`, `unavailable`. */
  read(from: number, limit: ReadLimit): Promise<readonly StoredEntry[]>;
  /**
   * All entries from `from` on in order, in batches, for ever, until the signal aborts. Waits while the log is away.
   * `onExtent` is called whenever the log was asked for its extent (at least every few seconds).
   * Throws `trimmed`, `missing` and, when the creation time changes, `recreated`.
   */
  tail(from: number, options: TailOptions): AsyncIterable<readonly StoredEntry[]>;
  /** Removes entries up to `upTo` inclusive. */
  trim(upTo: number): Promise<void>;
}

export interface TailOptions {
  readonly signal: AbortSignal;
  /** Creation time that the log must have. */
  readonly created: string;
  readonly onExtent?: (extent: LogExtent) => void;
}
