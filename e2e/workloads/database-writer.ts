import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { OutageClock } from './outage.ts';

/** What a run of the writer ended with. */
export interface WriterReport {
  readonly acknowledged: number;
  /** Answers that say that the write was not executed or may have been; nothing is claimed about them. */
  readonly errors: number;
  /** Acknowledged writes that a later read did not find, or found older. */
  readonly lost: readonly string[];
}

/**
 * Writes increasing numbers to keys over the whole key range, one in flight per key, and remembers the highest number
 * that was acknowledged for each.
 */
export class DatabaseWriter {
  readonly #outages = { low: new OutageClock(), high: new OutageClock() };
  readonly #redis: Redis;
  readonly #stop = new AbortController();
  readonly #acknowledged = new Map<string, number>();
  /** Numbers per key whose write may be executed any time: no answer came. */
  readonly #unknown = new Map<string, Set<number>>();
  readonly #running: Promise<void>[];
  readonly #paceMs: number;
  #count = 0;
  #errors = 0;

  /**
   * @param host address of the database gateway
   * @param keys number of keys; half of them sort before `m`, half after, so that two shards are written to
   * @param paceMs rest after each write of a key
   * @param database another one than the default
   */
  constructor(host: string, port: number, { keys = 16, paceMs = 0, database = '' } = {}) {
    this.#paceMs = paceMs;
    this.#redis = new Redis({
      host,
      port,
      ...(database !== '' && { username: database, password: 'any' }),
      lazyConnect: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 100,
      commandTimeout: 15_000,
      // half of the keys belong to another shard: when nothing at all comes, the gateway's machine is gone
      socketTimeout: 3_000,
    });
    this.#redis.on('error', () => {});
    this.#running = Array.from({ length: keys }, (_, i) => this.#write(i % 2 === 0 ? 'low' : 'high', i));
  }

  get acknowledged(): number {
    return this.#count;
  }

  /** Longest time without an acknowledgement, ms, per half of the key range: one busy shard must not hide another. */
  get outage(): { readonly longestMs: number; reset(): void } {
    const { low, high } = this.#outages;
    return {
      longestMs: Math.max(low.longestMs, high.longestMs),
      reset: () => [low, high].forEach((clock) => clock.reset()),
    };
  }

  /** Stops writing and reads everything back. */
  async finish(): Promise<WriterReport> {
    this.#stop.abort();
    await Promise.all(this.#running);
    const lost: string[] = [];
    for (const [key, number] of this.#acknowledged) {
      const found = Number(await this.#readBack(key));
      const late = this.#unknown.get(key)?.has(found) ?? false;
      if (!(found >= number) && !late) lost.push(`${key}: acknowledged ${number}, found ${found}`);
    }
    this.#redis.disconnect();
    return { acknowledged: this.#count, errors: this.#errors, lost };
  }

  async #write(half: 'low' | 'high', index: number): Promise<void> {
    const key = `${half === 'low' ? 'a' : 'z'}-writer-${index}`;
    for (let number = 1; !this.#stop.signal.aborted; number++) {
      try {
        await this.#redis.set(key, number);
        this.#acknowledged.set(key, number);
        this.#count++;
        this.#outages[half].success();
        if (this.#paceMs > 0) await sleep(this.#paceMs);
      } catch {
        this.#errors++;
        this.#unknown.set(key, (this.#unknown.get(key) ?? new Set()).add(number));
        await sleep(20 + Math.random() * 30);
      }
    }
  }

  async #readBack(key: string): Promise<string | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#redis.get(key);
      } catch (error) {
        if (attempt >= 100) throw error;
        await sleep(100);
      }
    }
  }
}
