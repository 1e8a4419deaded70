import type { NatsConnection, Status } from '@nats-io/nats-core';
import { jittered, type Clock } from './clock.ts';
import { LogError } from './log-error.ts';
import type { LogExtent, ReplicatedLog, StoredEntry, TailOptions } from './replicated-log.ts';

interface JetStreamTailOptions extends TailOptions {
  readonly log: Pick<ReplicatedLog, 'read' | 'extent'>;
  readonly nats: NatsConnection;
  readonly liveSubject: string;
  readonly clock: Clock;
}

/** Live entries that may wait for the reader; what comes beyond is dropped and read from the log later. */
const maxBuffered = 1024;
const maxBufferedBytes = 32 * 1024 * 1024;
/** One batch at most. */
const batchLimit = { entries: 256, bytes: 8 * 1024 * 1024 };
/** How often an idle tail asks whether it missed something. */
const probeMs = 2_000;
const retryMs = 250;

/**
 * Follows a stream without a consumer: republished messages as they come, direct reads for what was missed (the start,
 * a reconnect, a full buffer), and a look at the stream's extent now and then, because core NATS promises no delivery.
 */
export class JetStreamTail {
  readonly #options: JetStreamTailOptions;
  readonly #buffer = new Map<number, Uint8Array>();
  #bufferedBytes = 0;
  /** Highest sequence known to be in the log. */
  #known = 0;
  /** When something came last, or was asked for (monotonic). */
  #heardAt: number;
  #probeDue = true;
  #wake: () => void = () => {};

  constructor(options: JetStreamTailOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  async *run(from: number): AsyncGenerator<readonly StoredEntry[]> {
    const { signal, nats, liveSubject } = this.#options;
    const subscription = nats.subscribe(liveSubject, {
      callback: (error, message) => {
        if (!error) this.#receive(Number(message.headers?.get('Nats-Sequence')), message.data);
      },
    });
    const onAbort = (): void => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    const ended = new AbortController();
    void this.#probeWhenQuiet(ended.signal);
    const statuses = nats.status();
    void this.#probeAfterReconnect(statuses);
    try {
      yield* this.#follow(from);
    } finally {
      ended.abort();
      signal.removeEventListener('abort', onAbort);
      subscription.unsubscribe();
      if ('stop' in statuses && typeof statuses.stop === 'function') statuses.stop();
    }
  }

  async *#follow(from: number): AsyncGenerator<readonly StoredEntry[]> {
    let next = from;
    while (!this.#options.signal.aborted) {
      const batch = await this.#nextBatch(next);
      if (batch.length > 0) {
        next = (batch.at(-1)?.seq ?? next) + 1;
        yield batch;
      } else if (!this.#probeDue && this.#known < next) await this.#woken();
    }
  }

  /** What is buffered, else what the log has; empty when there is nothing new or the log is away. */
  async #nextBatch(next: number): Promise<readonly StoredEntry[]> {
    const live = this.#takeBuffered(next);
    if (live.length > 0) return live;
    try {
      if (this.#probeDue) await this.#probe(next);
      return this.#known >= next ? await this.#readGap(next) : [];
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'unavailable') throw error;
      this.#probeDue = true;
      await this.#options.clock.sleep(jittered(this.#options.clock, retryMs), this.#options.signal);
      return [];
    }
  }

  /** A copy of the stream that lags may not have it yet: then wait a little. */
  async #readGap(next: number): Promise<readonly StoredEntry[]> {
    const found = await this.#options.log.read(next, batchLimit);
    if (found.length === 0) {
      this.#probeDue = true;
      await this.#options.clock.sleep(jittered(this.#options.clock, retryMs / 10), this.#options.signal);
    }
    return found;
  }

  async #probe(next: number): Promise<void> {
    this.#probeDue = false;
    const extent: LogExtent = await this.#options.log.extent();
    this.#options.onExtent?.(extent);
    if (extent.created !== this.#options.created) {
      throw new LogError('recreated', `the log was created ${extent.created}, not ${this.#options.created}`);
    }
    if (extent.first > next) throw new LogError('trimmed', `entry ${next} is gone, the first is ${extent.first}`);
    this.#known = Math.max(this.#known, extent.last);
  }

  #receive(seq: number, bytes: Uint8Array): void {
    if (!Number.isSafeInteger(seq)) return;
    this.#known = Math.max(this.#known, seq);
    this.#heardAt = this.#options.clock.now();
    if (this.#buffer.size < maxBuffered && this.#bufferedBytes + bytes.length <= maxBufferedBytes) {
      if (!this.#buffer.has(seq)) this.#bufferedBytes += bytes.length;
      this.#buffer.set(seq, bytes);
    }
    this.#wake();
  }

  #takeBuffered(next: number): readonly StoredEntry[] {
    this.#forgetBefore(next);
    const run: StoredEntry[] = [];
    let taken = 0;
    for (let seq = next; run.length < batchLimit.entries && taken < batchLimit.bytes; seq++) {
      const bytes = this.#buffer.get(seq);
      if (bytes === undefined) break;
      this.#buffer.delete(seq);
      taken += bytes.length;
      run.push({ seq, bytes });
    }
    this.#bufferedBytes -= taken;
    return run;
  }

  #forgetBefore(next: number): void {
    for (const [seq, bytes] of this.#buffer) {
      if (seq >= next) continue;
      this.#buffer.delete(seq);
      this.#bufferedBytes -= bytes.length;
    }
  }

  /** Until something arrives or is to be looked for. Costs no timer: it is called for nearly every entry. */
  #woken(): Promise<void> {
    if (this.#options.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Has the log asked when nothing has come for a while. */
  async #probeWhenQuiet(ended: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!ended.aborted) {
      const quietMs = jittered(clock, probeMs);
      const left = (): number => this.#heardAt + quietMs - clock.now();
      while (left() > 0 && !ended.aborted) await clock.sleep(left(), ended);
      this.#heardAt = clock.now();
      this.#probeDue = true;
      this.#wake();
    }
  }

  async #probeAfterReconnect(statuses: AsyncIterable<Status>): Promise<void> {
    for await (const status of statuses) {
      if (status.type !== 'reconnect') continue;
      this.#probeDue = true;
      this.#wake();
    }
  }
}
