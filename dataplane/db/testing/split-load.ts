import { setTimeout as sleep } from 'node:timers/promises';
import { answerStatus } from '../batch/answer-batch.ts';
import { findPrimary } from '../gateway/target.ts';
import type { Reply } from '../resp/reply.ts';
import type { DbCluster } from './cluster.ts';
import { MemberClient } from './member-client.ts';

/** What a client knows of a command: its reply, or that nobody can say what became of it. */
export type Known = { readonly reply: Reply } | 'unknown';

const patienceMs = 40_000;
const pauseMs = 10;

/** A client that tries one shard after the other until one takes its command: it knows no ranges. */
export class Wanderer {
  readonly #cluster: DbCluster;
  readonly #client: MemberClient;
  #last = '';

  constructor(cluster: DbCluster) {
    this.#cluster = cluster;
    this.#client = new MemberClient(cluster.operator.nats);
  }

  /** @throws Error when no shard takes it in time */
  async ask(...words: string[]): Promise<Known> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const known = await this.#round(words);
      if (known !== null) return known;
      await sleep(pauseMs);
    }
    throw new Error(`no shard takes ${words.join(' ')}`);
  }

  /** The reply of a command that may be repeated. */
  async reply(...words: string[]): Promise<Reply> {
    for (;;) {
      const known = await this.ask(...words);
      if (known !== 'unknown') return known.reply;
    }
  }

  async #round(words: readonly string[]): Promise<Known | null> {
    // The shard that answered last goes first.
    const shards = [...this.#cluster.members.keys()].sort(
      (a, b) => Number(b === this.#last) - Number(a === this.#last),
    );
    for (const shard of shards) {
      const pods = this.#cluster.members.get(shard)?.map(({ pod }) => pod) ?? [];
      const primary = findPrimary(pods, this.#cluster.beats);
      if (primary === null) continue;
      const answer = await this.#client.command(shard, primary.pod, ...words);
      if (!isStatus(answer)) {
        this.#last = shard;
        return { reply: answer };
      }
      if (answer.status === answerStatus.unknown) return 'unknown';
    }
    return null;
  }
}

const isStatus = (answer: Reply | { status: number }): answer is { status: number } =>
  typeof answer === 'object' && answer !== null && 'status' in answer;

interface Told {
  acknowledged: number;
  unknown: number;
}

const letters = 'abcdefghijklmnopqrstuvwxyz';
const keysPerLetter = 3;

/** Clients that count and append all the time, on keys of the whole alphabet, and what they were told. */
export class SplitLoad {
  readonly #cluster: DbCluster;
  readonly #counters = new Map<string, Told>();
  readonly #appended = new Map<string, { readonly acknowledged: string[]; readonly unknown: Set<string> }>();
  readonly #stop = new AbortController();
  #workers: Promise<void>[] = [];
  /** Commands that were answered. */
  done = 0;

  constructor(cluster: DbCluster) {
    this.#cluster = cluster;
  }

  start(clients: number): void {
    this.#workers = Array.from({ length: clients }, (_, i) => this.#work(i));
  }

  /** Resolves when all clients have ended. @throws what one of them ran into */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#workers);
  }

  /** What is not as the clients were told; empty: nothing was lost, and nothing done twice. */
  async differences(): Promise<string[]> {
    const reader = new Wanderer(this.#cluster);
    const found: string[] = [];
    for (const [key, { acknowledged, unknown }] of this.#counters) {
      const value = Number(await reader.reply('GET', key));
      if (value < acknowledged || value > acknowledged + unknown)
        found.push(`${key} is ${value}: ${acknowledged} were acknowledged, ${unknown} are unknown`);
    }
    for (const [key, { acknowledged, unknown }] of this.#appended) {
      const values = ((await reader.reply('LRANGE', key, '0', '-1')) as readonly Buffer[]).map(String);
      const known = values.filter((value) => !unknown.has(value));
      if (known.join() !== acknowledged.join()) found.push(`${key} holds ${known.join()}, not ${acknowledged.join()}`);
      if (new Set(values).size !== values.length) found.push(`${key} holds something twice`);
    }
    return found;
  }

  async #work(worker: number): Promise<void> {
    const client = new Wanderer(this.#cluster);
    // Each client has lists of its own, so that their order is known.
    for (let n = 0; !this.#stop.signal.aborted; n++) {
      const letter = letters[Math.floor(Math.random() * letters.length)] ?? 'a';
      if (n % 3 === 0) await this.#append(client, `${letter}:list:${worker}`, `${worker}-${n}`);
      else await this.#count(client, `${letter}:count:${Math.floor(Math.random() * keysPerLetter)}`);
      this.done += 1;
    }
  }

  async #count(client: Wanderer, key: string): Promise<void> {
    const told = this.#counters.get(key) ?? { acknowledged: 0, unknown: 0 };
    this.#counters.set(key, told);
    const known = await client.ask('INCR', key);
    if (known === 'unknown') told.unknown += 1;
    else if (typeof known.reply === 'number') told.acknowledged += 1;
    else throw new Error(`INCR ${key} was answered ${String(known.reply)}`);
  }

  async #append(client: Wanderer, key: string, value: string): Promise<void> {
    const list = this.#appended.get(key) ?? { acknowledged: [], unknown: new Set<string>() };
    this.#appended.set(key, list);
    const known = await client.ask('RPUSH', key, value);
    if (known === 'unknown') list.unknown.add(value);
    else if (typeof known.reply === 'number') list.acknowledged.push(value);
    else throw new Error(`RPUSH ${key} was answered ${String(known.reply)}`);
  }
}
