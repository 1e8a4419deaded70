import type { CommittedEntry, Position, Snapshot, StateMachine } from '../replica/state-machine.ts';
import { RecentEntries } from './feed/recent.ts';
import { straysNote } from './store/key-range.ts';
import type { Store } from './store/store.ts';

/** Who is told about the replica's role. */
export interface Leader {
  lead(term: number): void;
  follow(): void;
}

/** DBShard's replicated state machine: a key-value store. What an operation may hold is in `store/effects.ts`. */
export class KeyValueMachine implements StateMachine {
  /** The newest entries, for those who watch. */
  readonly recent: RecentEntries;
  readonly #store: Store;
  #leader: Leader | null = null;
  /** Of this replica, while it leads. */
  #term: number | null = null;
  #onApplied: () => void = () => {};

  constructor(store: Store) {
    this.#store = store;
    this.recent = new RecentEntries(store.position?.seq ?? 0);
  }

  /** Sets who evaluates requests while this replica leads. */
  serve(leader: Leader): void {
    this.#leader = leader;
    if (this.#term !== null) leader.lead(this.#term);
  }

  /** Sets who is told whenever the store has another state. */
  onApplied(listener: () => void): void {
    this.#onApplied = listener;
  }

  position(): Position | null {
    return this.#store.position;
  }

  async apply(entries: readonly CommittedEntry[], position: Position): Promise<void> {
    await this.#store.apply(entries, position);
    this.recent.add(entries, position.seq);
    this.#onApplied();
  }

  snapshot(): Promise<Snapshot> {
    return this.#store.snapshot();
  }

  async restore(position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#store.restore(position, chunks);
    this.recent.restart(position.seq);
    this.#onApplied();
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

  /** `strays`: 1 while keys and bytes may be those of another shard, too, because a split is not swept yet. */
  figures(): Record<string, number> {
    return { ...this.#store.figures(), strays: Number(this.#store.notes.has(straysNote)) };
  }
}
