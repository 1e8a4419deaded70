import type { NamedRow } from '../../store/reading.ts';
import { firstHiddenType } from '../../store/row.ts';
import type { Store } from '../../store/store.ts';
import { eachOf, patiently } from '../patience.ts';
import { Flow } from './flow.ts';
import { commandsFor } from './pieces.ts';
import type { Target } from './target.ts';

/** Requests, and bytes, that are under way at once. */
const maxRequests = 2_000;
const maxBytes = 16 * 1024 * 1024;
/** Shards that are read at once. */
const readAtOnce = 8;
/** A database that takes nothing for so long is given up, milliseconds. */
const patienceMs = 60_000;

export interface Loaded {
  keys: number;
  bytes: number;
}

export interface LoadOptions {
  readonly target: Target;
  /** Keys that have expired by now stay away, milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly loaded: Loaded;
}

/** Writes the keys of stores into a database, as a client would. @throws BackupError */
export const loadStores = async (stores: readonly Store[], options: LoadOptions): Promise<void> => {
  const flow = new Flow(maxRequests, maxBytes);
  const { signal } = options;
  await eachOf(stores, { atOnce: readAtOnce, signal }, (store, stop) =>
    new Loader(store, flow, { ...options, signal: stop }).run(),
  );
};

class Loader {
  readonly #store: Store;
  readonly #flow: Flow;
  readonly #options: LoadOptions;
  readonly #failed = new AbortController();

  constructor(store: Store, flow: Flow, options: LoadOptions) {
    this.#store = store;
    this.#flow = flow;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, now } = this.#options;
    const stop = AbortSignal.any([signal, this.#failed.signal]);
    const underWay = new Set<Promise<void>>();
    for (const { key, row } of this.#store.rows(this.#store.own({}))) {
      if (stop.aborted) break;
      if (row.type >= firstHiddenType || (row.expireAt !== 0 && row.expireAt <= now())) continue;
      // The next row is read before this one is written.
      const named = { key, row: { ...row, value: Buffer.from(row.value) } };
      const bytes = key.length + row.value.length;
      await this.#flow.take(bytes);
      const one = this.#one(named, stop).finally(() => {
        this.#flow.give(bytes);
        underWay.delete(one);
      });
      one.catch((error: unknown) => this.#failed.abort(error));
      underWay.add(one);
    }
    await Promise.allSettled(underWay);
    this.#failed.signal.throwIfAborted();
    signal.throwIfAborted();
  }

  /** From its beginning again when it is interrupted: half of a value must not be written twice. */
  async #one(named: NamedRow, signal: AbortSignal): Promise<void> {
    const { target, loaded } = this.#options;
    const write = async (): Promise<number> => {
      let bytes = 0;
      for (const payload of commandsFor(this.#store, named)) {
        await target.ask({ payload, key: named.key });
        bytes += payload.length;
      }
      return bytes;
    };
    const written = await patiently(write, { signal, forMs: patienceMs });
    loaded.bytes += written;
    loaded.keys++;
  }
}
