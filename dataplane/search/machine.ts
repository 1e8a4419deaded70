import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CommittedEntry, Position, Snapshot, StateMachine } from '../replica/state-machine.ts';
import { timeSlices } from './segment/merge.ts';
import { IndexStore } from './store/index-store.ts';
import { ShardDirectory } from './store/shard-directory.ts';
import { restoreSnapshot, takeSnapshot } from './store/shard-snapshot.ts';

/** Called when this replica starts or ceases to lead. */
export interface LeadershipListener {
  lead(term: number): void;
  follow(): void;
}

/** Applied bytes after which the store is written without being asked: bounds memory and the time of a restart. */
const flushAfterBytes = 64 * 1024 * 1024;
/** Longest run of work before others get their turn. */
const sliceMs = 12;

/**
 * A search shard as a replicated state machine. Its state lives in memory and, as of the last {@link flush}, on disk; what
 * lies between is in the log and is applied again after a crash. An interrupted flush leaves the state of the one before.
 */
export class SearchMachine implements StateMachine {
  readonly #directory: ShardDirectory;
  readonly #listeners = new Set<LeadershipListener>();
  #store: IndexStore;
  #applying: Promise<void> = Promise.resolve();
  /** Flushes and restores, one after another. */
  #disk: Promise<void> = Promise.resolve();
  #flushedBytes = 0;
  #writes = 0;
  #flushWaiting = false;
  #merging: Promise<void> | null = null;
  readonly #waiting = new Set<{ readonly changed: number; readonly resolve: () => void }>();
  #closed = false;

  private constructor(directory: ShardDirectory, store: IndexStore) {
    this.#directory = directory;
    this.#store = store;
  }

  /** Opens the state in a directory; every file is checked. Throws SearchError `damaged`. */
  static async open(path: string): Promise<SearchMachine> {
    const directory = new ShardDirectory(path);
    return new SearchMachine(directory, await directory.open());
  }

  /** The state now. Another object after a restore. */
  get store(): IndexStore {
    return this.#store;
  }

  onLeadership(listener: LeadershipListener): void {
    this.#listeners.add(listener);
  }

  position(): Position | null {
    return this.#store.position;
  }

  apply(entries: readonly CommittedEntry[], position: Position): Promise<void> {
    this.#applying = this.#apply(entries, position);
    return this.#applying;
  }

  async #apply(entries: readonly CommittedEntry[], position: Position): Promise<void> {
    const store = this.#store;
    let sliceEnds = performance.now() + sliceMs;
    for (const { seq, term, operations } of entries) {
      store.apply(seq, term, operations);
      this.#writes += operations.length;
      if (performance.now() < sliceEnds) continue;
      await nextTurn();
      sliceEnds = performance.now() + sliceMs;
    }
    store.position = position;
    if (entries.length === 0) return;
    for (const waiting of this.#waiting) if (store.changed >= waiting.changed) waiting.resolve();
    this.#tidy();
  }

  /** Waits until the entry `changed` is applied; false when it was not within the time. */
  async whenChanged(changed: number, timeoutMs: number): Promise<boolean> {
    if (this.#store.changed >= changed) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { changed, resolve };
    this.#waiting.add(waiting);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(waiting);
    return this.#store.changed >= changed;
  }

  /** Starts what has to be done in the background, if anything. */
  #tidy(): void {
    this.#merging ??= this.#merge().finally(() => (this.#merging = null));
    if (this.#store.appliedBytes - this.#flushedBytes < flushAfterBytes || this.#flushWaiting) return;
    // a failure shows at the next flush that the replica core asks for
    void this.flush().catch(() => {});
  }

  async #merge(): Promise<void> {
    while (!this.#closed && (await this.#store.documents.mergeOnce(timeSlices(sliceMs)))) await nextTurn();
  }

  /** Resolves when no merge is left to do. */
  async settled(): Promise<void> {
    this.#tidy();
    await this.#merging;
  }

  flush(): Promise<void> {
    this.#flushWaiting = true;
    return this.#onDisk(async () => {
      this.#flushWaiting = false;
      await this.#applying.catch(() => {});
      const store = this.#store;
      if (store.position === null || (store.position.seq === this.#writtenSeq() && this.#segmentsWritten())) return;
      this.#flushedBytes = store.appliedBytes;
      await this.#directory.flush(store);
    });
  }

  #writtenSeq(): number | undefined {
    return (this.#directory.manifest?.position as Position | undefined)?.seq;
  }

  /** False after a merge: the same state, in other segments. */
  #segmentsWritten(): boolean {
    const { entries } = this.#store.documents;
    return entries.length === this.#directory.manifest?.segments.length && entries.every(({ file }) => file !== null);
  }

  #onDisk<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#disk.then(work);
    this.#disk = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  async snapshot(): Promise<Snapshot> {
    await this.flush();
    return this.#onDisk(() => takeSnapshot(this.#directory));
  }

  restore(position: Position, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#onDisk(async () => {
      this.#store = await restoreSnapshot(this.#directory, position, chunks);
      this.#flushedBytes = 0;
    });
  }

  lead(term: number): void {
    for (const listener of this.#listeners) listener.lead(term);
  }

  follow(): void {
    for (const listener of this.#listeners) listener.follow();
  }

  /** Operations that were applied since the start. */
  get writes(): number {
    return this.#writes;
  }

  figures(): Record<string, number> {
    const { documents } = this.#store;
    return {
      documents: documents.count,
      deleted: documents.deleted,
      segments: documents.entries.length,
      bytes: documents.bytes,
    };
  }

  /** Writes everything and stops merging. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#merging;
    await this.flush();
  }
}
