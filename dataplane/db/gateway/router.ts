import { performance } from 'node:perf_hooks';
import type { DbShardEntry } from '../../../contract/directory.ts';
import type { Directory } from '../../fabric/directory.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { DbError } from '../db-error.ts';
import { Ranges } from './ranges.ts';
import { encodeError } from '../resp/reply-writer.ts';
import type { ShardAnswer } from '../two-phase/coordinator.ts';
import { Budget, type ShardRequest } from './request.ts';
import { ShardLink, type Transport } from './shard-link.ts';
import { findPrimary } from './target.ts';

/** The database that a connection uses when it does not choose, if there are several. */
const defaultDatabase = 'app';
const tickMs = 100;

/** Finds the shard of a key and carries requests to it. */
export class Router {
  readonly #directory: Directory<'db'>;
  readonly #beats: Heartbeats;
  readonly #transport: Transport;
  readonly #budget = new Budget();
  readonly #links = new Map<string, ShardLink>();
  #databases: ReadonlyMap<string, Ranges> = new Map();
  #dirty = new Set<ShardLink>();
  readonly #stops: (() => void)[] = [];

  constructor(directory: Directory<'db'>, beats: Heartbeats, transport: Transport) {
    this.#directory = directory;
    this.#beats = beats;
    this.#transport = transport;
    this.#index();
    const timer = setInterval(() => this.#tick(), tickMs);
    this.#stops.push(
      () => clearInterval(timer),
      directory.onChange(() => this.#changed()),
      beats.onBeat((beat) => {
        if (beat.resource !== null) this.#links.get(beat.resource)?.tick();
      }),
    );
  }

  /** Requests that wait or are in flight. */
  get pending(): number {
    return this.#budget.requests;
  }

  /** Names of the databases, sorted. */
  get databases(): string[] {
    return [...this.#databases.keys()].sort();
  }

  /** `app`, else the first by name; null when there is none. */
  get defaultDatabase(): string | null {
    return this.#databases.has(defaultDatabase) ? defaultDatabase : (this.databases[0] ?? null);
  }

  /** Keys of a database, as its primaries reported them last. */
  keysOf(database: string): number {
    let sum = 0;
    for (const { members } of this.#databases.get(database)?.shards ?? []) {
      const primary = findPrimary(
        members.map(({ pod }) => pod),
        this.#beats,
      );
      if (primary) sum += this.#beats.get(primary.pod)?.beat.replica?.figures['keys'] ?? 0;
    }
    return sum;
  }

  /** The ranges of a database. @throws DbError CLUSTERDOWN when there is no such database */
  ranges(database: string | null): Ranges {
    const ranges = this.#databases.get(database ?? this.defaultDatabase ?? '');
    if (ranges) return ranges;
    throw new DbError(
      'CLUSTERDOWN',
      database === null ? 'this namespace has no database' : `there is no database ${database}`,
    );
  }

  /** Sends a request to a shard, together with all others of this turn. */
  submit(shard: DbShardEntry, request: ShardRequest): void {
    const link = this.#link(shard.name);
    link.submit(request);
    if (this.#dirty.size === 0) setImmediate(() => this.#flush());
    this.#dirty.add(link);
  }

  /** One request by itself. Never rejects: what goes wrong is an error reply. */
  ask(shard: string, request: Omit<ShardRequest, 'waiter'>): Promise<ShardAnswer> {
    const entry = this.#directory.entries.get(shard);
    if (!entry) {
      const reply = encodeError(`CLUSTERDOWN there is no shard ${shard.slice(0, 64)}; not executed`);
      return Promise.resolve({ reply, sequence: 0 });
    }
    return new Promise((resolve) => {
      this.submit(entry, { ...request, waiter: { answer: (reply, sequence) => resolve({ reply, sequence }) } });
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const link of dirty) link.flush();
  }

  #link(shard: string): ShardLink {
    let link = this.#links.get(shard);
    if (link) return link;
    link = new ShardLink({
      shard,
      transport: this.#transport,
      budget: this.#budget,
      findPrimary: () => findPrimary(this.#membersOf(shard), this.#beats),
      incarnationOf: (pod) => this.#beats.get(pod)?.beat.incarnation,
      now: () => performance.now(),
      random: Math.random,
      route: (request) => this.#route(shard, request),
    });
    this.#links.set(shard, link);
    return link;
  }

  #membersOf(shard: string): string[] {
    return this.#directory.entries.get(shard)?.members.map(({ pod }) => pod) ?? [];
  }

  /** See {@link ShardLinkOptions.route}. */
  #route(shard: string, request: ShardRequest): 'here' | 'taken' | 'nowhere' {
    let found: Set<DbShardEntry>;
    try {
      const ranges = this.ranges(request.database ?? null);
      found = new Set((request.keys ?? []).map((key) => ranges.find(key)));
    } catch {
      // A gap or an overlap, for as long as the directory changes.
      return 'here';
    }
    const [entry, ...others] = found;
    if (!entry || others.length > 0) return 'nowhere';
    if (entry.name === shard) return 'here';
    this.submit(entry, request);
    return 'taken';
  }

  #changed(): void {
    this.#index();
    for (const link of this.#links.values()) if (link.pending > 0) link.reroute();
  }

  #index(): void {
    const byDatabase = Map.groupBy(this.#directory.entries.values(), ({ database }) => database);
    this.#databases = new Map([...byDatabase].map(([database, shards]) => [database, new Ranges(shards)]));
  }

  #tick(): void {
    for (const link of this.#links.values()) if (link.pending > 0) link.tick();
  }
}
