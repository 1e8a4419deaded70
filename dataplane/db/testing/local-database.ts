import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unsplit, type DbShardEntry } from '../../../contract/directory.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { Directory } from '../../fabric/directory.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { memoryReplica, type MemoryReplica } from '../../replica/testing/memory-replica.ts';
import { localBus } from '../front/message-bus.ts';
import { FrontEnd } from '../front/front-end.ts';
import { Router } from '../gateway/router.ts';
import type { ShardLink, Transport } from '../gateway/shard-link.ts';
import { KeyValueMachine } from '../machine.ts';
import { Executor } from '../member/executor.ts';
import type { Requester } from '../member/requester.ts';
import { Store } from '../store/store.ts';

/** One shard of a {@link LocalDatabase}: everything of a member except the log and NATS. */
export interface LocalShard {
  readonly store: Store;
  readonly replica: MemoryReplica;
  readonly executor: Executor;
}

export interface LocalDatabaseOptions {
  /** First keys of the shards; the first has to be ''. */
  readonly starts?: readonly string[];
  /** Clock of the primaries, milliseconds. */
  readonly now?: () => number;
  /** When a client that does not read is cut off, milliseconds. */
  readonly stuckLimitMs?: number;
  /** Changes the directory entries, for tests of gaps and overlaps. */
  readonly entries?: (entries: DbShardEntry[]) => DbShardEntry[];
}

const entryOf = (name: string, start: string, end: string): DbShardEntry => ({
  kind: 'db',
  namespace: 'test',
  name,
  database: 'app',
  start,
  end,
  log: null,
  members: [{ pod: `${name}-m0`, node: 'node', zone: '' }],
  primary: `${name}-m0`,
  term: 1,
  conflict: null,
  ...unsplit,
});

class LocalTransport implements Transport {
  connected = true;
  readonly #executors: ReadonlyMap<string, LocalShard>;
  readonly #requesters = new Map<ShardLink, Requester>();

  constructor(executors: ReadonlyMap<string, LocalShard>) {
    this.#executors = executors;
  }

  send(link: ShardLink, _pod: string, batch: Buffer): void {
    let requester = this.#requesters.get(link);
    if (!requester) {
      requester = { epoch: 0, refusedEpoch: 0, send: (message) => queueMicrotask(() => link.take(message)) };
      this.#requesters.set(link, requester);
    }
    this.#executors.get(link.shard)?.executor.handle(requester, batch);
  }
}

/** A database in this process, reached over a real socket: front end, router and executors, without NATS. */
export class LocalDatabase {
  readonly shards = new Map<string, LocalShard>();
  readonly router: Router;
  readonly frontEnd: FrontEnd;
  port = 0;
  readonly #dir = mkdtempSync(join(tmpdir(), 'quartet-db-'));

  constructor(options: LocalDatabaseOptions) {
    const starts = options.starts ?? [''];
    const entries = starts.map((start, i) => entryOf(`app-${i}`, start, starts[i + 1] ?? ''));
    for (const { name } of entries) this.shards.set(name, this.#shard(name, options.now ?? Date.now));
    const directory: Directory<'db'> = {
      entries: new Map((options.entries?.(entries) ?? entries).map((entry) => [entry.name, entry])),
      onChange: () => () => {},
    };
    this.router = new Router(directory, allLeading(this.shards), new LocalTransport(this.shards));
    this.frontEnd = new FrontEnd(
      { env: { QUARTET_POD: 'local', QUARTET_NODE: 'node' }, incarnation: 'one' } as Pod,
      this.router,
      { port: 0, stuckLimitMs: options.stuckLimitMs ?? 60_000, bus: localBus() },
    );
  }

  async stop(): Promise<void> {
    await this.frontEnd.close();
    this.router.stop();
    for (const { store } of this.shards.values()) await store.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #shard(name: string, now: () => number): LocalShard {
    const store = new Store(join(this.#dir, name));
    const machine = new KeyValueMachine(store);
    const replica = memoryReplica(machine, { now });
    const executor = new Executor({ store, replica, now });
    machine.serve(executor);
    return { store, replica, executor };
  }
}

/** Heartbeats in which the one member of every shard leads. */
const allLeading = (shards: ReadonlyMap<string, LocalShard>): Heartbeats => ({
  get: (pod) => {
    const store = shards.get(pod.replace(/-m0$/, ''))?.store;
    const applied = store?.position?.seq ?? 0;
    const figures = store?.figures() ?? {};
    return {
      receivedAt: 0,
      beat: {
        pod,
        role: 'db',
        node: '',
        resource: null,
        incarnation: 'one',
        at: 0,
        load: {},
        replica: { state: 'primary', term: 1, applied, tail: applied, figures },
      },
    };
  },
  alive: () => true,
  onBeat: () => () => {},
});

export const startLocalDatabase = async (options: LocalDatabaseOptions = {}): Promise<LocalDatabase> => {
  const database = new LocalDatabase(options);
  database.port = await database.frontEnd.listen('127.0.0.1');
  return database;
};
