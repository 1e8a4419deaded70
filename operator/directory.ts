import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { DirectoryEntries } from '../contract/directory.ts';
import { directoryBucketOptions } from '../contract/streams.ts';
import { directoryBucket, directoryKey, type DirectoryKind } from '../contract/subjects.ts';
import { withLatestRange } from './db-shard/latest-range.ts';

type Bucket = Awaited<ReturnType<Kvm['create']>>;

const retryMs = 1000;

/**
 * Publishes the routing documents that pods read. Callers state what each document should be; it is written only when
 * that differs from what the bucket holds, in the background, and again when the bucket was lost.
 */
export class DirectoryPublisher {
  readonly #connection: () => NatsConnection | null;
  readonly #replicas: number;
  readonly #log: Logger;
  /** What should be; null = no document. */
  readonly #desired = new Map<string, string | null>();
  /** What the bucket holds as far as we know; null while unknown. */
  #published: Map<string, string> | null = null;
  #bucket: Bucket | null = null;
  #running = false;
  #again = false;
  #stopped = false;

  constructor(connection: () => NatsConnection | null, replicas: number, log: Logger) {
    this.#connection = connection;
    this.#replicas = replicas;
    this.#log = log;
  }

  /** States the document of a resource; null removes it. Returns at once. */
  set<K extends DirectoryKind>(
    kind: K,
    ref: { readonly namespace: string; readonly name: string },
    entry: DirectoryEntries[K] | null,
  ): void {
    const key = directoryKey(kind, ref.namespace, ref.name);
    const text = entry === null ? null : JSON.stringify(entry);
    if (this.#desired.has(key) && this.#desired.get(key) === text) return;
    this.#desired.set(key, text);
    void this.#flush();
  }

  /** True when the bucket holds what {@link set} asked for this resource. */
  isPublished(kind: DirectoryKind, ref: { readonly namespace: string; readonly name: string }): boolean {
    const key = directoryKey(kind, ref.namespace, ref.name);
    return this.#published !== null && (this.#published.get(key) ?? null) === (this.#desired.get(key) ?? null);
  }

  /** NATS is back, or a while has passed: compare with what the bucket really holds, and repair it. */
  repair(): void {
    this.#published = null;
    this.#bucket = null;
    void this.#flush();
  }

  /** Leadership is lost: another operator decides what the directory says. */
  forget(): void {
    this.#desired.clear();
    this.#published = null;
    this.#bucket = null;
  }

  /** Writes no more. */
  stop(): void {
    this.#stopped = true;
  }

  async #flush(): Promise<void> {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#write();
      } catch (error) {
        this.#published = null;
        this.#bucket = null;
        this.#log.debug({ err: error }, 'the directory cannot be written now; trying again');
        const timer = setTimeout(() => void this.#flush(), retryMs * (0.75 + Math.random() / 2));
        timer.unref();
      }
    }
    this.#running = false;
  }

  async #write(): Promise<void> {
    const { bucket, published } = await this.#open();
    for (const [key, text] of this.#desired) {
      const held = published.get(key) ?? null;
      const next = held === null || text === null ? text : withLatestRange(held, text);
      if (held === next) continue;
      if (next === null) {
        await bucket.delete(key);
        published.delete(key);
      } else {
        await bucket.put(key, next);
        published.set(key, next);
      }
    }
  }

  async #open(): Promise<{ bucket: Bucket; published: Map<string, string> }> {
    if (this.#bucket !== null && this.#published !== null) {
      return { bucket: this.#bucket, published: this.#published };
    }
    const connection = this.#connection();
    if (connection === null) throw new Error('not connected');
    const bucket = await new Kvm(connection).create(directoryBucket, directoryBucketOptions(this.#replicas));
    const published = new Map<string, string>();
    for await (const key of await bucket.keys()) {
      const entry = await bucket.get(key);
      if (entry !== null && entry.operation === 'PUT') published.set(key, entry.string());
    }
    this.#bucket = bucket;
    this.#published = published;
    return { bucket, published };
  }
}
