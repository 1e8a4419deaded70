import type { CommittedEntry, Position, Snapshot, StateMachine } from '../replica/state-machine.ts';
import type { Store } from './store/store.ts';

/** Who is told about the replica's role. */
export interface Leader {
  follow(): void;
}

/** DBShard's replicated state machine: a key-value store. What an operation may hold is in `store/effects.ts`. */
export class KeyValueMachine implements StateMachine {
  readonly #store: Store;
  #leader: Leader | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Sets who evaluates requests while this replica leads. */
  serve(leader: Leader): void {
    this.#leader = leader;
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

  lead(): void {
    this.#leader?.follow();
  }

  follow(): void {
    this.#leader?.follow();
  }

  figures(): Record<string, number> {
    return this.#store.figures();
  }
}
