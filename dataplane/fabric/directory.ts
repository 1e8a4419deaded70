import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { Msg, MsgHdrs } from '@nats-io/nats-core';
import { directoryEntries, type DirectoryEntries } from '../../contract/directory.ts';
import { directoryBucket, directoryKey, directoryLivePrefix, type DirectoryKind } from '../../contract/subjects.ts';
import { directBatch } from './direct-batch.ts';
import type { Pod } from './pod.ts';

/** The resources of one kind in the pod's namespace, as the operator last published them. */
export interface Directory<K extends DirectoryKind> {
  /** By resource name. A new map after each change: safe to keep for the length of a request. */
  readonly entries: ReadonlyMap<string, DirectoryEntries[K]>;
  /** Calls the listener after each change; returns what ends that. */
  onChange(listener: () => void): () => void;
}

/** The whole directory is read anew this often, for a change whose message was lost. */
const relistAfterMs = 60_000;
const retryAfterMs = 500;
const pageSize = 512;
/** Jitter: between 0.75 and 1.25 of the time. */
const jittered = (ms: number): number => ms * (0.75 + Math.random() / 2);

/** One stored value of a key; `entry` is null when it was deleted. */
interface Stored<K extends DirectoryKind> {
  readonly seq: number;
  readonly entry: DirectoryEntries[K] | null;
}

const isRemoval = (headers: MsgHdrs | undefined): boolean => (headers?.get('KV-Operation') ?? '') !== '';

class DirectoryWatch<K extends DirectoryKind> implements Directory<K> {
  readonly #pod: Pod;
  readonly #kind: K;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #loaded = Promise.withResolvers<void>();
  readonly #stored = new Map<string, Stored<K>>();
  #entries: ReadonlyMap<string, DirectoryEntries[K]> = new Map();
  #relist = Promise.withResolvers<void>();

  constructor(pod: Pod, kind: K) {
    this.#pod = pod;
    this.#kind = kind;
  }

  get entries(): ReadonlyMap<string, DirectoryEntries[K]> {
    return this.#entries;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts to follow the bucket; resolves when the first full listing is there. */
  start(): Promise<void> {
    const live = this.#pod.nats.subscribe(`${directoryLivePrefix}.${this.#key('*')}`, {
      callback: (error, message) => {
        if (!error) this.#takeLive(message);
      },
    });
    this.#stopped.signal.addEventListener('abort', () => live.unsubscribe(), { once: true });
    void this.#listForEver();
    void this.#relistOnReconnect();
    return this.#loaded.promise;
  }

  stop(): void {
    this.#stopped.abort();
  }

  #key(name: string): string {
    return directoryKey(this.#kind, this.#pod.env.QUARTET_NAMESPACE, name);
  }

  async #listForEver(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      this.#relist = Promise.withResolvers<void>();
      let waitMs = relistAfterMs;
      try {
        await this.#list();
      } catch (error) {
        this.#pod.log.debug({ err: error, kind: this.#kind }, 'the directory cannot be read now; trying again');
        waitMs = retryAfterMs;
      }
      const pause = sleep(jittered(waitMs), undefined, { signal, ref: false }).catch(() => {});
      await Promise.race([pause, this.#relist.promise]);
    }
  }

  /** Reads every key; what is newer by its live message stays, what is gone goes. */
  async #list(): Promise<void> {
    const manager = await jetstreamManager(this.#pod.nats, { checkAPI: false });
    const stream = `KV_${directoryBucket}`;
    // a bucket that was made anew counts from 1 again: what is known of the old one no longer compares
    const lastSeq = (await manager.streams.info(stream)).state.last_seq;
    for (const [name, known] of this.#stored) if (known.seq > lastSeq) this.#stored.delete(name);
    const seen = new Set<string>();
    for await (const message of this.#readAll(manager, stream)) {
      seen.add(this.#take(message.subject, message.seq, message));
    }
    for (const [name, known] of this.#stored) if (!seen.has(name) && known.seq <= lastSeq) this.#stored.delete(name);
    this.#publish();
    this.#loaded.resolve();
  }

  async *#readAll(manager: JetStreamManager, stream: string): AsyncGenerator<StoredMsg> {
    const subject = `$KV.${directoryBucket}.${this.#key('*')}`;
    for (let from = 1; ;) {
      const page = await directBatch(manager, stream, { seq: from, batch: pageSize, next_by_subj: subject });
      yield* page;
      if (page.length < pageSize) return;
      from = (page.at(-1)?.seq ?? from) + 1;
    }
  }

  #takeLive(message: Msg): void {
    const seq = Number(message.headers?.get('Nats-Sequence'));
    if (!Number.isSafeInteger(seq)) return;
    this.#take(message.subject, seq, { header: message.headers, json: () => message.json() });
    this.#publish();
  }

  #take(subject: string, seq: number, message: Pick<StoredMsg, 'json'> & { header: MsgHdrs | undefined }): string {
    const name = subject.slice(subject.lastIndexOf('.') + 1);
    if ((this.#stored.get(name)?.seq ?? 0) > seq) return name;
    if (isRemoval(message.header)) {
      this.#stored.set(name, { seq, entry: null });
      return name;
    }
    const parsed = directoryEntries[this.#kind].safeParse(message.json());
    if (parsed.success) this.#stored.set(name, { seq, entry: parsed.data as DirectoryEntries[K] });
    else this.#pod.log.error({ subject, err: parsed.error }, 'a directory entry is malformed; keeping the last');
    return name;
  }

  #publish(): void {
    const entries = new Map<string, DirectoryEntries[K]>();
    for (const [name, { entry }] of this.#stored) if (entry !== null) entries.set(name, entry);
    this.#entries = entries;
    for (const listener of this.#listeners) listener();
  }

  async #relistOnReconnect(): Promise<void> {
    for await (const status of this.#pod.nats.status()) if (status.type === 'reconnect') this.#relist.resolve();
  }
}

/**
 * Follows the directory of one kind in the pod's namespace. Waits until the operator has made the bucket; keeps the
 * last known entries while NATS is away and lists anew when it is back. No consumer: the bucket republishes changes,
 * and a listing is a few direct gets.
 */
export const watchDirectory = async <K extends DirectoryKind>(pod: Pod, kind: K): Promise<Directory<K>> => {
  const check = `directory:${kind}`;
  pod.health.set(check, false, 'waiting for the operator to publish the directory');
  const watch = new DirectoryWatch(pod, kind);
  pod.onShutdown(`directory of ${kind}`, async () => watch.stop());
  await watch.start();
  pod.health.set(check, true);
  return watch;
};
