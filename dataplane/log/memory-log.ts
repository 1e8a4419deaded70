import { appendResolved, type AppendTransport, type Attempt } from './append-resolution.ts';
import { systemClock, type Clock } from './clock.ts';
import type { EncodedEntry } from './entry.ts';
import { LogError } from './log-error.ts';
import type { AppendOutcome, LogExtent, ReadLimit, ReplicatedLog, StoredEntry, TailOptions } from './replicated-log.ts';

/**
 * What happens to one attempt to append:
 * - through: as if nothing was wrong
 * - request-lost: the request never arrives; the writer sees silence
 * - answer-lost: stored if it fits, but the writer sees silence
 * - late: the writer sees silence; the request arrives `lateMs` after
 * - not-taken: no leader at the moment
 */
export type AppendFault = 'through' | 'request-lost' | 'answer-lost' | 'late' | 'not-taken';

/** Decides about faults; the default has none. */
export interface Weather {
  readonly append: () => AppendFault;
  /** Whether reads and tails reach the log at the moment. */
  readonly reachable: () => boolean;
  /** Milliseconds that a request takes in each direction. */
  readonly delayMs: () => number;
  readonly lateMs: () => number;
  /** Clock of what is under way: it goes on when the process that sent it is gone. */
  readonly network?: Clock;
}

export const calm: Weather = {
  append: () => 'through',
  reachable: () => true,
  delayMs: () => 0,
  lateMs: () => 0,
};

/** The storage behind memory logs: one history, as a stream of JetStream would hold it. */
export class MemoryStream {
  created: string;
  first = 1;
  capacity = Number.POSITIVE_INFINITY;
  readonly #entries: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(created = 'memory-1') {
    this.created = created;
  }

  get last(): number {
    return this.first - 1 + this.#entries.length;
  }

  get bytes(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.length, 0);
  }

  store(expected: number, bytes: Uint8Array): Attempt {
    if (this.last !== expected) return { result: 'wrong-last', last: this.last };
    if (this.#entries.length >= this.capacity) return { result: 'full', message: 'capacity reached' };
    this.#entries.push(Uint8Array.from(bytes));
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    return { result: 'stored', seq: this.last };
  }

  at(seq: number): StoredEntry | null {
    const bytes = this.#entries[seq - this.first];
    return bytes === undefined ? null : { seq, bytes };
  }

  trim(upTo: number): void {
    const count = Math.min(upTo, this.last) - this.first + 1;
    if (count <= 0) return;
    this.#entries.splice(0, count);
    this.first += count;
  }

  /** What an operator who deletes and creates the stream does. */
  recreate(created: string): void {
    this.created = created;
    this.#entries.length = 0;
    this.first = 1;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Resolves at the next entry, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

/** How long silence lasts before a writer takes it for one, at most. */
const silenceMs = 500;
/** How often an idle tail tells the extent. */
const probeMs = 2_000;
const retryMs = 50;

/** A {@link ReplicatedLog} in memory, for tests: several share one {@link MemoryStream}, each with its own weather. */
export class MemoryLog implements ReplicatedLog, AppendTransport {
  readonly #stream: MemoryStream;
  readonly #clock: Clock;
  readonly #weather: Weather;

  constructor(stream: MemoryStream, clock: Clock = systemClock, weather: Weather = calm) {
    this.#stream = stream;
    this.#clock = clock;
    this.#weather = weather;
  }

  append(expected: number, entry: EncodedEntry, timeoutMs: number): Promise<AppendOutcome> {
    return appendResolved(this, this.#clock, expected, { entry, timeoutMs });
  }

  async attempt(expected: number, entry: EncodedEntry, timeoutMs: number): Promise<Attempt> {
    const fault = this.#weather.append();
    if (fault === 'not-taken') {
      await this.#travel();
      return { result: 'not-taken', message: 'no leader' };
    }
    if (fault === 'late') void this.#storeLate(expected, entry);
    if (fault === 'late' || fault === 'request-lost') return this.#silence(timeoutMs);
    await this.#travel(this.#weather.network);
    const attempt = this.#stream.store(expected, entry.bytes);
    if (fault === 'answer-lost') return this.#silence(timeoutMs);
    await this.#travel();
    return attempt;
  }

  async get(seq: number): Promise<StoredEntry | null> {
    await this.#reach();
    return this.#stream.at(seq);
  }

  async extent(): Promise<LogExtent> {
    await this.#reach();
    const { created, first, last, bytes } = this.#stream;
    return { created, first, last, bytes };
  }

  async read(from: number, limit: ReadLimit): Promise<readonly StoredEntry[]> {
    await this.#reach();
    return this.#take(from, limit);
  }

  async *tail(from: number, options: TailOptions): AsyncIterable<readonly StoredEntry[]> {
    let next = from;
    while (!options.signal.aborted) {
      if (this.#weather.reachable()) {
        const batch = this.#look(next, options);
        if (batch.length > 0) {
          next = (batch.at(-1)?.seq ?? next) + 1;
          await this.#travel();
          yield batch;
          continue;
        }
        await this.#changeOr(probeMs, options.signal);
      } else await this.#clock.sleep(retryMs, options.signal);
    }
  }

  async #changeOr(ms: number, outer: AbortSignal): Promise<void> {
    const turn = new AbortController();
    const signal = AbortSignal.any([outer, turn.signal]);
    await Promise.race([this.#stream.changed(signal), this.#clock.sleep(ms, signal)]);
    turn.abort();
  }

  async trim(upTo: number): Promise<void> {
    await this.#reach();
    this.#stream.trim(upTo);
  }

  #look(from: number, options: TailOptions): readonly StoredEntry[] {
    const { created, first, last, bytes } = this.#stream;
    options.onExtent?.({ created, first, last, bytes });
    if (created !== options.created) throw new LogError('recreated', `created ${created}, not ${options.created}`);
    return this.#take(from, { entries: 256, bytes: 8 * 1024 * 1024 });
  }

  #take(from: number, limit: ReadLimit): readonly StoredEntry[] {
    if (from < this.#stream.first) throw new LogError('trimmed', `${from} is gone`);
    const found: StoredEntry[] = [];
    let bytes = 0;
    for (let seq = from; found.length < limit.entries && bytes < limit.bytes; seq++) {
      const entry = this.#stream.at(seq);
      if (entry === null) break;
      bytes += entry.bytes.length;
      found.push(entry);
    }
    return found;
  }

  async #storeLate(expected: number, entry: EncodedEntry): Promise<void> {
    await (this.#weather.network ?? this.#clock).sleep(this.#weather.lateMs());
    this.#stream.store(expected, entry.bytes);
  }

  async #silence(timeoutMs: number): Promise<Attempt> {
    await this.#clock.sleep(Math.min(timeoutMs, silenceMs));
    return { result: 'silent', message: 'no answer' };
  }

  async #reach(): Promise<void> {
    await this.#travel();
    if (!this.#weather.reachable()) throw new LogError('unavailable', 'the log cannot be reached');
  }

  async #travel(clock: Clock = this.#clock): Promise<void> {
    const ms = this.#weather.delayMs();
    if (ms > 0) await clock.sleep(ms);
  }
}
