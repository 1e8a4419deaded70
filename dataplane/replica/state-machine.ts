/**
 * A place in one history of a log. Opaque to state machines: they store it as it is (it is plain JSON), in the same
 * atomic write as the data that it describes, and give it back unchanged.
 */
export interface Position {
  /** Sequence of the last entry that the store contains. */
  readonly seq: number;
  /** Highest term at that place. */
  readonly term: number;
  /** Creation time of the stream: another value is another history. */
  readonly log: string;
  /** Hash of the entry at `seq`: proves on start that the log still holds the history that the store was made from. */
  readonly chain: string;
  /** Log time there, milliseconds; never runs backwards within a log. */
  readonly time: number;
}

/** An entry that counts: it is in the log, and of the term that was in force at its place. */
export interface CommittedEntry {
  readonly seq: number;
  readonly term: number;
  /** Milliseconds, the primary's clock; never runs backwards within a log. */
  readonly time: number;
  /** Views into a buffer that lives as long as they do: a machine that keeps one for long should copy it. */
  readonly operations: readonly Uint8Array[];
}

/** The contents of a store at one position, as a stream. */
export interface Snapshot {
  readonly position: Position;
  /** At most {@link maxSnapshotChunkBytes} each. May be iterated once, slowly: a peer pulls it over the network. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Frees what the snapshot holds (a read transaction, pinned files). Called exactly once, also after a failure. */
  release(): Promise<void>;
}

/** Largest chunk of a snapshot, bytes. */
export const maxSnapshotChunkBytes = 512 * 1024;

/**
 * What a service replicates. The replica core calls `apply`, `snapshot`, `restore`, `lead` and `follow`; never two of
 * `apply` and `restore` at once. `snapshot` may run beside `apply`.
 * An error thrown by `apply` or `restore` halts the replica: it means that the store cannot be trusted or written.
 */
export interface StateMachine {
  /** Null: the store is empty and knows no history. */
  position(): Position | null;
  /**
   * Applies entries in order. `position` moves in the same atomic write. Deterministic: the same entries make the same
   * store on every replica. `entries` may be empty (only terms or void entries passed by): then only the position moves.
   * `position.seq` may be higher than the last entry's.
   */
  apply(entries: readonly CommittedEntry[], position: Position): Promise<void>;
  /** Consistent at its position. */
  snapshot(): Promise<Snapshot>;
  /** Replaces everything, atomically as seen after a crash: the old store, or an empty one, or the whole new one. */
  restore(position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Everything in the log before this term is applied, and operations may be proposed.
   * Also called with the same term, after a `follow()`, when waiting operations had to be dropped (a full log).
   */
  lead(term: number): void;
  /** Leads no more: drop speculative state. Operations in flight may still turn out to be in the log. */
  follow(): void;
  /**
   * Makes what is applied survive a power cut. A machine whose `apply` already does so leaves it out. Called every few
   * seconds; the log is trimmed only up to what has been flushed on every live replica.
   */
  flush?(): Promise<void>;
  /** For status: keys, documents, bytes. */
  figures(): Record<string, number>;
}
