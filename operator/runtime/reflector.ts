import type { Logger } from 'pino';
import { backOffMs, type BackOff } from './back-off.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { type Clock, pause, systemClock } from './clock.ts';
import { isKubeError, KubeError } from './kube-error.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { keyOf, type KubeObject, type ObjectKey } from './object.ts';
import type { WritableStore } from './object-store.ts';
import { resourceName } from './resource.ts';

/** What a reflector mirrors, and how. */
export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly store: WritableStore<T>;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Applied to every object before it is stored; see trim.ts. */
  readonly trim: (object: T) => T;
  readonly timing?: Partial<ReflectorTiming>;
  readonly clock?: Clock;
}

export interface ReflectorTiming {
  /** A watch is ended by the server after a random time between these, s: many watches do not end together. */
  readonly watchSeconds: readonly [min: number, max: number];
  /** The server sends a bookmark each minute; silence for this long means a dead stream, ms. */
  readonly quietMs: number;
  readonly backOff: BackOff;
  /** A watch that lived this long counts as a success and resets the back-off, ms. */
  readonly steadyMs: number;
}

export const REFLECTOR_TIMING: ReflectorTiming = {
  watchSeconds: [300, 600],
  quietMs: 150_000,
  backOff: { minMs: 200, maxMs: 5_000 },
  steadyMs: 5_000,
};

const LIST_DEADLINE_MS = 60_000;

/**
 * Keeps a store equal to the server: a paged list, then a watch from its
 * version on with bookmarks, resumed where it ended; a new list when the server
 * no longer has the version (410). Runs until the signal fires; never rejects.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #timing: ReflectorTiming;
  readonly #clock: Clock;
  readonly #name: string;
  /** Where the next watch starts; undefined: a list comes first. */
  #version: string | undefined;
  #listReason = 'start';

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = { ...REFLECTOR_TIMING, ...options.timing };
    this.#clock = options.clock ?? systemClock;
    this.#name = resourceName(options.store.resource);
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = this.#clock.now();
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures = this.#clock.now() - startedAt > this.#timing.steadyMs ? 1 : failures + 1;
        this.#noteFailure(error, failures);
      }
      // A server that ends every watch at once must not be asked in a tight loop either.
      if (failures > 0 || this.#clock.now() - startedAt < this.#timing.backOff.minMs) {
        await pause(this.#clock, backOffMs(this.#timing.backOff, Math.max(1, failures)), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, store, namespace, labelSelector, fieldSelector, metrics, trim } = this.#options;
    metrics.relists.inc({ resource: this.#name, reason: this.#listReason });
    const scope = {
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    };
    const listed = new Set<ObjectKey>();
    let next: string | undefined;
    let version: string;
    do {
      const paging = next === undefined ? {} : { continue: next };
      const page = await client.list(store.resource, { ...scope, ...paging, signal, deadlineMs: LIST_DEADLINE_MS });
      for (const item of page.items) {
        const object = trim(item);
        listed.add(keyOf(object));
        store.put(object, true);
      }
      version = page.resourceVersion;
      next = page.continue;
    } while (next !== undefined);
    store.complete(listed, version);
    metrics.cached.set({ resource: this.#name }, store.size);
    this.#listReason = 'gone';
    return version;
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { client, store, namespace, labelSelector, fieldSelector, metrics } = this.#options;
    const [min, max] = this.#timing.watchSeconds;
    const events = await client.watch(store.resource, {
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
      resourceVersion: from,
      timeoutSeconds: Math.round(min + (max - min) * Math.random()),
      quietMs: this.#timing.quietMs,
      signal,
    });
    for await (const event of events) this.#take(event);
    metrics.watches.inc({ resource: this.#name, end: 'server' });
  }

  #take(event: WatchEvent<T>): void {
    const { store, trim, metrics } = this.#options;
    if (event.type === 'BOOKMARK') {
      this.#version = event.resourceVersion;
      store.progress(event.resourceVersion);
      return;
    }
    const object = trim(event.object);
    if (event.type === 'DELETED') store.drop(object);
    else store.put(object);
    this.#version = object.metadata.resourceVersion;
    metrics.cached.set({ resource: this.#name }, store.size);
  }

  #noteFailure(error: unknown, failures: number): void {
    const { log, metrics } = this.#options;
    metrics.watches.inc({ resource: this.#name, end: error instanceof KubeError ? error.code : 'error' });
    if (isKubeError(error, 'gone')) {
      this.#version = undefined;
      log.info({ resource: this.#name }, 'the server forgot the version: listing again');
      return;
    }
    // A server that does not know the version at all (restored from a backup) answers 'invalid'.
    if (isKubeError(error, 'invalid', 'bad-answer')) this.#version = undefined;
    const level = failures > 2 ? 'warn' : 'debug';
    log[level]({ resource: this.#name, failures, err: error }, 'list or watch failed, trying again');
  }
}
