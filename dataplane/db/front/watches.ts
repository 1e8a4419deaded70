import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { DbError, errorLine } from '../db-error.ts';
import type { Change } from '../feed/change.ts';
import { changedShards, formatCursor, isAbout } from '../feed/cursor.ts';
import { watchFeed, type Changes, type FeedSource } from '../feed/watch.ts';
import type { Router } from '../gateway/router.ts';
import { encodeReply, type Protocol } from '../resp/reply-writer.ts';
import { typeName } from '../store/row.ts';
import type { Client } from './session.ts';

/** Clients of one front end that may watch. */
const maxWatches = 1_000;
/** A client that gets nothing is told so often where it is, milliseconds: its old cursor might be compacted away. */
const bookmarkMs = 10_000;
/** Pause when no member of a shard answers, milliseconds; half of it or up to one and a half times. */
const pauseMs = 500;

/** What is watched, from where on. */
export interface WatchPlan {
  readonly database: string | null;
  /** One character a byte. */
  readonly prefix: string;
  /** By shard; it moves on with what is delivered. */
  readonly cursor: Map<string, number>;
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** `["qwatch", cursor, [[kind, key, type, value, expires at], …]]`: what one entry of a log has changed. */
const encodeChanges = (protocol: Protocol, cursor: string, changes: readonly Change[]): Buffer =>
  encodeReply(protocol, (writer) => {
    writer.push(3);
    writer.bulk('qwatch');
    writer.bulk(cursor);
    writer.array(changes.length);
    for (const { kind, key, type, value, expireAt } of changes) {
      writer.array(5);
      writer.bulk(kind);
      writer.bulk(bytesOf(key));
      if (kind === 'put') writer.bulk(typeName(type) ?? 'unknown');
      else writer.nil();
      if (value) writer.bulk(value);
      else writer.nil();
      writer.integer(expireAt);
    }
  });

/** `["qwatch", error]`: nothing more will come. */
const encodeEnd = (protocol: Protocol, error: DbError): Buffer =>
  encodeReply(protocol, (writer) => {
    writer.push(2);
    writer.bulk('qwatch');
    writer.error(errorLine(error));
  });

/** One client that watches. It gets the next changes when it has read the last ones. */
class Watch {
  readonly #client: Client;
  readonly #plan: WatchPlan;
  readonly #stop = new AbortController();
  #toldAt = performance.now();

  constructor(client: Client, plan: WatchPlan) {
    this.#client = client;
    this.#plan = plan;
  }

  /** Delivers what changes in one shard, until the watch ends. @throws DbError COMPACTED */
  async follow(shard: string, source: FeedSource, shards: () => readonly string[]): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#read(shard, source, shards);
      } catch (error) {
        if (error instanceof DbError && error.code === 'COMPACTED') throw error;
        // Its members are being replaced, or it is: the watch goes on where it was.
        await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Ends it, with the reason if there is one. */
  end(reason: DbError | null): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    if (reason) this.#client.push(encodeEnd(this.#client.session.protocol, reason));
  }

  async #read(shard: string, source: FeedSource, shards: () => readonly string[]): Promise<void> {
    const { prefix, cursor } = this.#plan;
    for await (const found of watchFeed(source, { prefix, from: cursor.get(shard) ?? 1, signal: this.#stop.signal })) {
      const now = shards();
      if (!isAbout(cursor, now)) throw changedShards(now);
      await this.#deliver(shard, found);
    }
  }

  async #deliver(shard: string, { changes, next }: Changes): Promise<void> {
    const { cursor } = this.#plan;
    for (const [seq, together] of Map.groupBy(changes, (change) => change.seq)) {
      await this.#client.drained();
      if (this.#stop.signal.aborted) return;
      cursor.set(shard, seq + 1);
      this.#tell(together);
    }
    cursor.set(shard, next);
    if (performance.now() - this.#toldAt > bookmarkMs) this.#tell([]);
  }

  #tell(changes: readonly Change[]): void {
    this.#toldAt = performance.now();
    const { protocol } = this.#client.session;
    this.#client.push(encodeChanges(protocol, formatCursor(this.#plan.cursor), changes));
  }
}

/** Clients of one front end that are told what changes (QWATCH). */
export class Watches {
  readonly #nats: NatsConnection;
  readonly #router: Router;
  readonly #watches = new Map<Client, Watch>();

  constructor(nats: NatsConnection, router: Router) {
    this.#nats = nats;
    this.#router = router;
  }

  /** Begins to tell a client. @throws DbError when it watches already, or too many do */
  start(client: Client, plan: WatchPlan): void {
    if (this.#watches.has(client)) throw new DbError('ERR', 'this connection watches already; QUNWATCH ends that');
    if (this.#watches.size >= maxWatches) {
      throw new DbError('TRYAGAIN', `${maxWatches} clients watch through this gateway; use another`);
    }
    const watch = new Watch(client, plan);
    this.#watches.set(client, watch);
    client.session.watching = true;
    const shards = (): readonly string[] =>
      this.#router
        .ranges(plan.database)
        .withPrefix(plan.prefix)
        .map(({ name }) => name);
    for (const shard of plan.cursor.keys()) {
      watch.follow(shard, this.#source(plan, shard), shards).catch((error: DbError) => {
        watch.end(error);
        if (this.#watches.get(client) === watch) this.forget(client);
      });
    }
  }

  /** Ends the watch of a client, if it has one. */
  forget(client: Client): void {
    this.#watches.get(client)?.end(null);
    this.#watches.delete(client);
    client.session.watching = false;
  }

  #source({ database }: WatchPlan, name: string): FeedSource {
    return {
      nats: this.#nats,
      shard: () => this.#router.ranges(database).shards.find((shard) => shard.name === name),
      member: (shard) => this.#router.anyMember(shard),
    };
  }
}
