import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../errors.ts';
import { ApiError, type ApiClient } from './client.ts';
import { keyOf, type KubeObject } from './objects.ts';

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T & { readonly code?: number; readonly message?: string };
}

export interface WatchOptions<T> {
  readonly client: ApiClient;
  /** Of the collection, such as `/api/v1/pods`. */
  readonly path: string;
  /** Called for each change; `object` is undefined when it is gone. */
  readonly onChange: (key: string, object: T | undefined) => void;
  /** Called when the first list has been told completely. */
  readonly onSync?: () => void;
  /** Called when the connection breaks, for the log. */
  readonly onTrouble?: (reason: string) => void;
}

const backOffMs = { first: 100, limit: 2000 };

/**
 * A copy of a collection of the API server, kept current: list, then watch from there; after a break watch on from the last
 * version seen, after 410 Gone list again and tell the differences. Keeps what it has while the server is away.
 */
export class Watch<T extends KubeObject> {
  readonly items = new Map<string, T>();
  readonly #options: WatchOptions<T>;
  readonly #stop = new AbortController();
  #version: string | undefined;
  #synced = false;
  #done: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions<T>) {
    this.#options = options;
  }

  start(): this {
    this.#done = this.#run();
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    let delay = backOffMs.first;
    while (!this.#stop.signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        await this.#follow();
        delay = backOffMs.first;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (error instanceof ApiError && error.status === 410) this.#version = undefined;
        else this.#options.onTrouble?.(reasonOf(error));
        await sleep(delay * (0.5 + Math.random()), undefined, { signal: this.#stop.signal }).catch(() => undefined);
        delay = Math.min(delay * 2, backOffMs.limit);
      }
    }
  }

  async #list(): Promise<void> {
    const list = await this.#options.client.get<List<T>>(this.#options.path);
    const present = new Set(list.items.map(keyOf));
    for (const key of this.items.keys()) if (!present.has(key)) this.#apply(key, undefined);
    for (const item of list.items) {
      const old = this.items.get(keyOf(item));
      // Deleted and made again while we looked away: two changes, not one.
      if (old !== undefined && old.metadata.uid !== item.metadata.uid) this.#apply(keyOf(item), undefined);
      if (old?.metadata.resourceVersion !== item.metadata.resourceVersion) this.#apply(keyOf(item), item);
    }
    this.#version = list.metadata.resourceVersion;
    if (!this.#synced) this.#options.onSync?.();
    this.#synced = true;
  }

  #apply(key: string, object: T | undefined): void {
    if (object === undefined) this.items.delete(key);
    else this.items.set(key, object);
    this.#options.onChange(key, object);
  }

  async #follow(): Promise<void> {
    const seconds = 240 + Math.floor(Math.random() * 240);
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${this.#version ?? ''}`;
    const response = await this.#options.client.stream(`${this.#options.path}?${query}`, this.#stop.signal);
    let failure: Error | undefined;
    response.on('error', (error) => (failure = error));
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (line !== '') this.#take(JSON.parse(line) as WatchEvent<T>);
    }
    if (failure !== undefined) throw failure;
  }

  #take({ type, object }: WatchEvent<T>): void {
    if (type === 'ERROR') throw new ApiError(object.code ?? 0, object.message ?? 'watch failed');
    this.#version = object.metadata.resourceVersion;
    if (type === 'BOOKMARK') return;
    this.#apply(keyOf(object), type === 'DELETED' ? undefined : object);
  }
}
