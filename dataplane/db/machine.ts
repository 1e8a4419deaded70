import type { CommittedEntry, Position, Snapshot, StateMachine } from '../replica/state-machine.ts';
import type { Store } from './store/store.ts';

/** Who is told about the replica's role. */
export interface Leader {
  lead(term: number): void;
  follow(): void;
}

/** DBShard's replicated state machine: a key-value store. What an operation may hold is in `store/effects.ts`. */
export class KeyValueMachine implements StateMachine {
  readonly #store: Store;
  #leader: Leader | null = null;
  /** Of this replica, while it leads. */
  #term: number | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Sets who evaluates requests while this replica leads. */
  serve(leader: Leader): void {
    this.#leader = leader;
    if (this.#term !== null) leader.lead(this.#term);
  }

  position(): Position | null {
    return this.#store.position;
  }

  apply(entries: readonly CommittedEntry[], position: Position): Promise<void> {
    return this.#store.apply(entries, position);
  }

  snapshot(): Promise<Snapshot> {
    return this.#store.snapshot();
  }

  restore(position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#store.restore(position, chunks);
  }

  /** Resolves when what is applied would survive a loss of power. */
  flush(): Promise<void> {
    return this.#store.flushToDisk();
  }

  lead(term: number): void {
    this.#term = term;
    this.#leader?.follow();
    this.#leader?.lead(term);
  }

  follow(): void {
    this.#term = null;
    this.#leader?.follow();
  }

  figures(): Record<string, number> {
    return this.#store.figures();
  }
}
