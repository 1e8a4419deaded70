import { encodeTransaction, requestKind } from '../../batch/request-batch.ts';
import type { NamedRow } from '../../store/reading.ts';
import { firstHiddenType } from '../../store/row.ts';
import type { Store } from '../../store/store.ts';
import { eachOf, patiently } from '../patience.ts';
import { Flow } from './flow.ts';
import { piecesFor, wholeOf } from './pieces.ts';
import type { Target } from './target.ts';

/** Requests, and bytes, that are under way at once. */
const maxRequests = 200;
const maxBytes = 16 * 1024 * 1024;
/** Values that go into one request: an entry of the log holds many, and each request costs something by itself. */
const groupKeys = 1_000;
const groupBytes = 256 * 1024;
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

/** A key, and the command that gives it its value. */
interface Whole {
  readonly key: string;
  readonly command: Buffer;
}

/** Values for one request. */
class Group {
  readonly values: Whole[] = [];
  bytes = 0;

  add(value: Whole): void {
    this.values.push(value);
    this.bytes += value.key.length + value.command.length;
  }

  /** Whether one more of so many bytes would be too much. */
  isFullFor(bytes: number): boolean {
    return this.values.length >= groupKeys || (this.values.length > 0 && this.bytes + bytes > groupBytes);
  }
}

class Loader {
  readonly #store: Store;
  readonly #flow: Flow;
  readonly #options: LoadOptions;
  readonly #failed = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #group = new Group();

  constructor(store: Store, flow: Flow, options: LoadOptions) {
    this.#store = store;
    this.#flow = flow;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, now } = this.#options;
    const stop = AbortSignal.any([signal, this.#failed.signal]);
    for (const { key, row } of this.#store.rows(this.#store.own({}))) {
      if (stop.aborted) break;
      if (row.type >= firstHiddenType || (row.expireAt !== 0 && row.expireAt <= now())) continue;
      await this.#take({ key, row }, stop);
    }
    await this.#sendGroup(stop);
    await Promise.allSettled(this.#underWay);
    this.#failed.signal.throwIfAborted();
    signal.throwIfAborted();
  }

  async #take(named: NamedRow, stop: AbortSignal): Promise<void> {
    const command = wholeOf(this.#store, named);
    if (command === null) return this.#sendPieces(named, stop);
    if (this.#group.isFullFor(named.key.length + command.length)) await this.#sendGroup(stop);
    this.#group.add({ key: named.key, command });
  }

  /** Starts a write as soon as there is room for it. */
  async #start(bytes: number, write: () => Promise<void>): Promise<void> {
    await this.#flow.take(bytes);
    const one = write().finally(() => {
      this.#flow.give(bytes);
      this.#underWay.delete(one);
    });
    one.catch((error: unknown) => this.#failed.abort(error));
    this.#underWay.add(one);
  }

  async #sendGroup(signal: AbortSignal): Promise<void> {
    const { values, bytes } = this.#group;
    this.#group = new Group();
    if (values.length === 0) return;
    await this.#start(bytes, async () => {
      await patiently(() => this.#write(values), { signal, forMs: patienceMs });
      this.#count(values.length, bytes);
    });
  }

  /** By the shards that have the keys now. All of them may be written again. */
  async #write(values: readonly Whole[]): Promise<void> {
    const { target } = this.#options;
    const byShard = Map.groupBy(values, ({ key }) => target.shardOf(key).name);
    const write = async (some: readonly Whole[]): Promise<void> => {
      const [first] = some;
      if (first === undefined) return;
      const payload = encodeTransaction(
        [],
        some.map(({ command }) => command),
      );
      const keys = some.map(({ key }) => key);
      await target.ask({ kind: requestKind.transaction, payload, key: first.key, keys });
    };
    await Promise.all([...byShard.values()].map(write));
  }

  /** From its beginning again when it is interrupted: half of a value must not be written twice. */
  async #sendPieces({ key, row }: NamedRow, signal: AbortSignal): Promise<void> {
    // The next row is read before this one is written.
    const named = { key, row: { ...row, value: Buffer.from(row.value) } };
    await this.#start(key.length + row.value.length, async () => {
      const write = async (): Promise<number> => {
        let bytes = 0;
        for (const payload of piecesFor(this.#store, named)) {
          await this.#options.target.ask({ payload, key });
          bytes += payload.length;
        }
        return bytes;
      };
      this.#count(1, await patiently(write, { signal, forMs: patienceMs }));
    });
  }

  #count(keys: number, bytes: number): void {
    this.#options.loaded.keys += keys;
    this.#options.loaded.bytes += bytes;
  }
}
