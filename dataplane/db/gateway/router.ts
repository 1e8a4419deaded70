import { performance } from 'node:perf_hooks';
import type { DbShardEntry } from '../../../contract/directory.ts';
import type { Heartbeat } from '../../../contract/heartbeat.ts';
import type { Directory } from '../../fabric/directory.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { DbError } from '../db-error.ts';
import { handedOn, Ranges } from './ranges.ts';
import { requestKind } from '../batch/request-batch.ts';
import { newestReport } from './shard-view.ts';
import { encodeStale } from '../member/stale-reader.ts';
import { encodeError, type Protocol } from '../resp/reply-writer.ts';
import type { ShardAnswer } from '../two-phase/coordinator.ts';
import { Budget, type ShardRequest, type Submitted, type Waiter } from './request.ts';
import { shardFacts, type ShardFacts } from './shard-facts.ts';
import { movedApart, ShardLink, type ShardLinkOptions, type Transport } from './shard-link.ts';
import { Staleness } from './staleness.ts';
import { findPrimary, type Target } from './target.ts';

/** The database that a connection uses when it does not choose, if there are several. */
const defaultDatabase = 'app';
const tickMs = 100;
/** A member that was silent for so long is not asked to read, milliseconds. */
const silentMs = 1_000;

/** A read that need not see the newest. */
export interface ReadOptions {
  readonly waiter: Waiter;
  readonly protocol: Protocol;
  /** Sequence of the shard's log that the asker has seen already. */
  readonly seen: number;
  readonly maxLagMs: number;
  readonly place: Pick<ShardRequest, 'keys' | 'database' | 'asker' | 'replan'>;
}

/** Whether a member could not answer, rather than the command failed. */
const isRefusal = (reply: Buffer): boolean =>
  reply[0] === 45 && /^-(STALE|TRYAGAIN|COMPACTED)/.test(reply.toString('latin1', 0, 12));

/** How a promise of an answer is kept. */
const answered = (resolve: (answer: ShardAnswer) => void): Pick<ShardRequest, 'waiter' | 'replan'> => ({
  waiter: { answer: (reply, sequence) => resolve({ reply, sequence }) },
  replan: (_deadline, goOn) => resolve({ reply: movedApart, sequence: 0, overtaken: goOn }),
});

/** Finds the shard of a key and carries requests to it. */
export class Router {
  readonly #directory: Directory<'db'>;
  readonly #beats: Heartbeats;
  readonly #transport: Transport;
  readonly #budget = new Budget();
  readonly #links = new Map<string, ShardLink>();
  /** By pod: ways of reads that any member may answer. */
  readonly #memberLinks = new Map<string, ShardLink>();
  readonly #staleness = new Staleness();
  #databases: ReadonlyMap<string, Ranges> = new Map();
  /** By pod: what it said of its range last, as text. */
  readonly #told = new Map<string, string>();
  #order = 0;
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
        this.#staleness.note(beat, performance.now());
        this.#learn(beat);
        if (beat.resource !== null) this.#links.get(beat.resource)?.tick();
      }),
    );
  }

  /** Told how long each request to a shard took, milliseconds. */
  observe: ((request: ShardRequest, ms: number) => void) | null = null;

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

  /** Its shards as heartbeats show them; none when there is no such database. */
  shardFacts(database: string): ShardFacts[] {
    const ranges = this.#databases.get(database);
    return (ranges?.shards ?? []).map((shard) => shardFacts(shard, ranges?.claimOf(shard) ?? null, this.#beats));
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
    this.#send(this.#link(shard.name), request);
  }

  #send(link: ShardLink, request: ShardRequest): void {
    link.submit(request);
    this.#flushSoon(link);
  }

  #flushSoon(link: ShardLink): void {
    if (this.#dirty.size === 0) setImmediate(() => this.#flush());
    this.#dirty.add(link);
  }

  /**
   * A read that any member may answer if its state is young enough, and not older than what was `seen`; else the primary
   * answers. `command` is in RESP. Spread over the members at random.
   */
  read(shard: DbShardEntry, command: Buffer, options: ReadOptions): void {
    const { waiter, protocol, seen, maxLagMs } = options;
    const kind = protocol === 3 ? requestKind.resp3 : 0;
    const fallBack = (): void =>
      this.submit(shard, { kind, payload: command, writes: false, waiter, ...options.place });
    const pod = this.#anyMember(shard, maxLagMs);
    if (pod === null) return fallBack();
    const answer = (reply: Buffer, sequence: number): void => {
      if (sequence < seen || isRefusal(reply)) fallBack();
      else waiter.answer(reply, sequence);
    };
    const payload = encodeStale(0, command);
    this.#send(this.#memberLink(shard.name, pod), {
      kind: kind | requestKind.stale,
      payload,
      writes: false,
      waiter: { answer },
    });
  }

  /**
   * A read of the state at a sequence (0: the newest) by any member that is at most so old. `kind`: further bits of
   * `requestKind`. Answers STALE when there is none, and never rejects.
   */
  async readAt(
    shard: DbShardEntry,
    { kind, payload: command, deadline }: Pick<ShardRequest, 'kind' | 'payload' | 'deadline'>,
    at: { sequence: number; maxLagMs: number },
  ): Promise<ShardAnswer> {
    const pod = this.#anyMember(shard, at.maxLagMs);
    if (pod === null) {
      return { reply: encodeError(`STALE no member of shard ${shard.name} is known to be young enough`), sequence: 0 };
    }
    const payload = encodeStale(at.sequence, command);
    return new Promise((resolve) => {
      const request = { kind: kind | requestKind.stale, payload, writes: false, deadline, ...answered(resolve) };
      this.#send(this.#memberLink(shard.name, pod), request);
    });
  }

  /** A member of a shard that follows its log; null: none is known. */
  anyMember(shard: DbShardEntry): string | null {
    return this.#anyMember(shard, Number.MAX_VALUE);
  }

  /** Last sequence of a shard's log, as its members reported it. */
  sequenceOf(shard: DbShardEntry): number {
    return Math.max(0, ...shard.members.map(({ pod }) => this.#beats.get(pod)?.beat.replica?.applied ?? 0));
  }

  /** One request by itself. Never rejects: what goes wrong is an error reply; `overtaken`: it is to be planned anew. */
  ask(shard: string, request: Omit<ShardRequest, 'waiter' | 'replan'>): Promise<ShardAnswer> {
    const entry = this.#directory.entries.get(shard);
    if (!entry) {
      const reply = encodeError(`CLUSTERDOWN there is no shard ${shard.slice(0, 64)}; not executed`);
      return Promise.resolve({ reply, sequence: 0 });
    }
    return new Promise((resolve) => this.submit(entry, { ...request, ...answered(resolve) }));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #anyMember(shard: DbShardEntry, maxLagMs: number): string | null {
    const now = performance.now();
    const able = shard.members.filter(
      ({ pod }) => this.#beats.alive(pod, silentMs) && this.#staleness.of(shard.name, pod, now) <= maxLagMs,
    );
    return able[Math.floor(Math.random() * able.length)]?.pod ?? null;
  }

  /** The way to one member, whether it leads or not. */
  #memberLink(shard: string, pod: string): ShardLink {
    let link = this.#memberLinks.get(pod);
    if (link) return link;
    const target = (): Target | null => {
      const beat = this.#beats.get(pod)?.beat;
      return beat && this.#beats.alive(pod, silentMs) ? { pod, term: 0, incarnation: beat.incarnation } : null;
    };
    link = new ShardLink({ ...this.#linkOptions(shard), findPrimary: target });
    this.#memberLinks.set(pod, link);
    return link;
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const link of dirty) link.flush();
  }

  #link(shard: string): ShardLink {
    let link = this.#links.get(shard);
    if (link) return link;
    link = new ShardLink(this.#linkOptions(shard));
    this.#links.set(shard, link);
    return link;
  }

  #linkOptions(shard: string): ShardLinkOptions {
    return {
      shard,
      transport: this.#transport,
      budget: this.#budget,
      findPrimary: () => findPrimary(this.#membersOf(shard), this.#beats),
      incarnationOf: (pod) => this.#beats.get(pod)?.beat.incarnation,
      isGone: () => !this.#directory.entries.has(shard),
      now: () => performance.now(),
      random: Math.random,
      route: (submitted) => this.#route(shard, submitted),
      replan: (submitted) => this.#replan(submitted),
      nextOrder: () => ++this.#order,
      observe: (request, ms) => this.observe?.(request, ms),
    };
  }

  #membersOf(shard: string): string[] {
    return this.#directory.entries.get(shard)?.members.map(({ pod }) => pod) ?? [];
  }

  /** See {@link ShardLinkOptions.route}. */
  #route(shard: string, submitted: Submitted): 'here' | 'taken' | 'nowhere' {
    const { request } = submitted;
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
    const link = this.#link(entry.name);
    link.takeOver(submitted);
    this.#flushSoon(link);
    return 'taken';
  }

  /** See {@link ShardLinkOptions.replan}. What its asker sent later waits meanwhile. */
  #replan(submitted: Submitted): void {
    const { request, deadline } = submitted;
    const links = request.asker === undefined ? [] : [...this.#links.values()];
    const later = links
      .map((link) => ({ link, withdrawn: link.withdraw(submitted) }))
      .filter(({ withdrawn }) => withdrawn.length > 0);
    const goOn = (): void => {
      for (const { link, withdrawn } of later) for (const each of withdrawn) link.takeOver(each);
      // All have to be back before: one of them may have to be planned anew, and the others wait for that.
      for (const { link } of later) link.reroute();
      for (const { link } of later) this.#flushSoon(link);
    };
    request.replan?.(deadline, goOn);
  }

  /** Takes what a member says of its shard's range. */
  #learn({ pod, replica }: Heartbeat): void {
    if (replica?.range === undefined) return;
    const told = JSON.stringify(replica.range);
    if (this.#told.get(pod) === told) return;
    this.#told.set(pod, told);
    this.#changed();
  }

  #changed(): void {
    const before = this.#databases;
    this.#index();
    for (const [database, ranges] of this.#databases) this.#follow(before.get(database), ranges);
    for (const link of this.#links.values()) if (link.pending > 0) link.reroute();
  }

  /** Requests on keys that have changed hands keep their order, though they go another way from now on. */
  #follow(before: Ranges | undefined, after: Ranges): void {
    for (const [from, to] of before ? handedOn(before, after) : []) {
      const link = this.#links.get(from);
      if (link) this.#link(to).follow(link);
    }
  }

  #index(): void {
    const { entries } = this.#directory;
    const views = [...entries.values()].map((shard) => ({ shard, report: newestReport(shard, this.#beats) }));
    const byDatabase = Map.groupBy(views, ({ shard }) => shard.database);
    this.#databases = new Map([...byDatabase].map(([database, each]) => [database, new Ranges(each)]));
    const pods = new Set(views.flatMap(({ shard }) => shard.members.map(({ pod }) => pod)));
    for (const pod of this.#told.keys()) if (!pods.has(pod)) this.#told.delete(pod);
  }

  #tick(): void {
    for (const link of this.#links.values()) if (link.pending > 0) link.tick();
    for (const [pod, link] of this.#memberLinks) {
      if (link.pending === 0) continue;
      if (this.#beats.alive(pod, silentMs)) link.tick();
      else link.abandon('STALE the member that was asked is gone');
    }
  }
}
