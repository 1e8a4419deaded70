import type { Clock } from '../log/clock.ts';
import { decodeEntry, type Decoded, type Entry } from '../log/entry.ts';
import type { StoredEntry } from '../log/replicated-log.ts';
import { extend, historyOf, positionOf, type History, type Verdict } from './history.ts';
import type { CommittedEntry, StateMachine } from './state-machine.ts';

/** An entry at its place, judged. */
export interface Judged {
  readonly seq: number;
  readonly id: string;
  readonly verdict: Verdict;
  /** The history before it, and when its last entry came to this process (monotonic). */
  readonly before: History;
  readonly beforeSeenAt: number;
  /** When its own turn came: it is in the log (monotonic). */
  readonly seenAt: number;
}

export interface ApplierListener {
  /** At once when the entry's turn has come, before it is applied. */
  judged(entry: Judged): void;
  /** After the entries are applied, in order. */
  applied(entries: readonly Judged[]): void;
  /** Nothing more will be applied: the store failed, or an entry cannot be read. */
  failed(error: Error): void;
}

export interface ApplierOptions {
  readonly machine: StateMachine;
  /** Creation time of the log. */
  readonly created: string;
  readonly clock: Clock;
  readonly listener: ApplierListener;
}

interface Pending {
  readonly bytes: Uint8Array | null;
  readonly own: Entry | null;
}

/** Applied in one call of the machine, at most. */
const batchEntries = 512;
const batchBytes = 8 * 1024 * 1024;
/** What may wait before {@link Applier.room} waits. Entries have up to megabytes, so their number alone is no bound. */
const roomEntries = 1024;
const roomBytes = 32 * 1024 * 1024;

/**
 * Takes entries of the log in any order and from any source (the tail, an acknowledged append, a conflict), and applies
 * each exactly once in the order of the log. What counts is decided in one place: `extend` in history.ts.
 */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #pending = new Map<number, Pending>();
  #pendingBytes = 0;
  #history: History;
  #applied: number;
  #seenAt: number;
  #running: Promise<void> | null = null;
  #stopped = false;
  #busySince: number | null = null;
  #roomWaiting: (() => void)[] = [];

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#history = historyOf(options.machine.position());
    this.#applied = this.#history.seq;
    this.#seenAt = options.clock.now();
  }

  /** Everything whose turn has come, applied or about to be. */
  get history(): History {
    return this.#history;
  }

  /** Sequence of the last entry in the store. */
  get applied(): number {
    return this.#applied;
  }

  /** How long the store has been at work on one batch, milliseconds; 0 when it rests. */
  get busyMs(): number {
    return this.#busySince === null ? 0 : this.#options.clock.now() - this.#busySince;
  }

  /** An entry of the log, as bytes. Entries that are known already are ignored. */
  offer(entry: StoredEntry): void {
    if (this.#wants(entry.seq)) this.#add(entry.seq, { bytes: entry.bytes, own: null });
  }

  /** An entry that this process wrote and knows to be in the log at `seq`: not decoded again. */
  offerOwn(seq: number, own: Entry): void {
    if (this.#wants(seq)) this.#add(seq, { bytes: null, own });
  }

  /** Resolves when more entries may be offered. */
  room(): Promise<void> {
    if (this.#hasRoom || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiting.push(resolve));
  }

  get #hasRoom(): boolean {
    return this.#pending.size < roomEntries && this.#pendingBytes < roomBytes;
  }

  /** Applies nothing more; resolves when the machine is at rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#giveRoom();
    await this.#running;
  }

  #wants(seq: number): boolean {
    return !this.#stopped && seq > this.#history.seq && !this.#pending.has(seq);
  }

  #add(seq: number, pending: Pending): void {
    this.#pending.set(seq, pending);
    this.#pendingBytes += sizeOf(pending);
    if (seq === this.#history.seq + 1) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) await this.#apply(batch);
    } catch (error) {
      this.#stopped = true;
      this.#options.listener.failed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#running = null;
      this.#giveRoom();
    }
  }

  /** Judges the entries whose turn has come. */
  #nextBatch(): Judged[] {
    const batch: Judged[] = [];
    let bytes = 0;
    while (batch.length < batchEntries && bytes < batchBytes && !this.#stopped) {
      const seq = this.#history.seq + 1;
      const pending = this.#pending.get(seq);
      if (pending === undefined) break;
      this.#pending.delete(seq);
      this.#pendingBytes -= sizeOf(pending);
      bytes += sizeOf(pending);
      batch.push(this.#judge(seq, decodedOf(pending)));
    }
    return batch;
  }

  #judge(seq: number, decoded: Decoded): Judged {
    const before = this.#history;
    const { history, verdict } = extend(before, decoded);
    if (verdict.kind === 'unreadable') throw new Error(`entry ${seq} cannot be read: ${verdict.reason}`);
    const seenAt = this.#options.clock.now();
    const judged = { seq, id: history.chain, verdict, before, beforeSeenAt: this.#seenAt, seenAt };
    this.#history = history;
    this.#seenAt = seenAt;
    this.#options.listener.judged(judged);
    return judged;
  }

  async #apply(batch: readonly Judged[]): Promise<void> {
    const history = this.#history;
    const committed: CommittedEntry[] = [];
    for (const { seq, verdict, before } of batch) {
      if (verdict.kind !== 'data' || verdict.entry.operations.length === 0) continue;
      const { term, operations } = verdict.entry;
      committed.push({ seq, term, operations, time: Math.max(before.time, verdict.entry.time) });
    }
    this.#busySince = this.#options.clock.now();
    await this.#options.machine.apply(committed, positionOf(history, this.#options.created));
    this.#busySince = null;
    this.#applied = history.seq;
    this.#giveRoom();
    this.#options.listener.applied(batch);
  }

  #giveRoom(): void {
    if (!this.#hasRoom && !this.#stopped) return;
    for (const resolve of this.#roomWaiting.splice(0)) resolve();
  }
}

/** Bytes; a primary's own entries, which are few, are counted where they wait to be sent. */
const sizeOf = ({ bytes }: Pending): number => bytes?.length ?? 0;

const decodedOf = ({ bytes, own }: Pending): Decoded => {
  if (own !== null) return { ok: true, entry: own };
  return decodeEntry(bytes ?? new Uint8Array());
};
