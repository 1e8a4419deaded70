import { ReplyError } from '../resp/reply.ts';
import type { DbCluster } from './cluster.ts';
import { plain, rawClient, type RawClient } from './raw-client.ts';

interface Told {
  acknowledged: number;
  unknown: number;
}

const letters = 'bckqux';

/** Clients of a gateway that count all the time, single keys and pairs over the alphabet, and what they were told. */
export class GatewayLoad {
  readonly #cluster: DbCluster;
  readonly #told = new Map<string, Told>();
  readonly #stop = new AbortController();
  #workers: Promise<void>[] = [];
  /** Requests that were answered. */
  done = 0;
  /** How often nobody could say what became of one. */
  unknown = 0;
  /** How often one about one key was refused: surely not executed. */
  refused = 0;
  /** The same of transactions. */
  refusedPairs = 0;
  #failure: unknown;
  /** The longest that an answer about one key took, milliseconds. */
  slowestMs = 0;

  constructor(cluster: DbCluster) {
    this.#cluster = cluster;
  }

  async start(clients: number): Promise<void> {
    const connections = await Promise.all(Array.from({ length: clients }, () => rawClient(this.#cluster.port)));
    this.#workers = connections.map((client, i) =>
      this.#work(client, i).catch((error: unknown) => {
        this.#failure ??= error;
      }),
    );
  }

  /** Resolves when all clients have ended. @throws what one of them was answered, if it was no answer to expect */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#workers);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What is not as the clients were told; empty: nothing was lost, and nothing done twice. */
  async differences(): Promise<string[]> {
    const client = await rawClient(this.#cluster.port);
    const found: string[] = [];
    for (const [key, { acknowledged, unknown }] of this.#told) {
      const value = Number(plain(await client.command('GET', key)));
      if (value >= acknowledged && value <= acknowledged + unknown) continue;
      found.push(`${key} is ${value}: ${acknowledged} were acknowledged, ${unknown} are unknown`);
    }
    client.close();
    return found;
  }

  async #work(client: RawClient, worker: number): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n++) {
      const [first, second] = [letters.charAt(n % 6), letters.charAt((n + 3) % 6)];
      if (n % 4 === 0) await this.#pair(client, [`${first}:pair:${worker}`, `${second}:pair:${worker}`]);
      else await this.#single(client, `${first}:count`);
      this.done += 1;
    }
    client.close();
  }

  async #single(client: RawClient, key: string): Promise<void> {
    const began = performance.now();
    if (this.#note([key], await client.command('INCR', key)) === 'refused') this.refused += 1;
    this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
  }

  async #pair(client: RawClient, keys: readonly string[]): Promise<void> {
    await client.command('MULTI');
    for (const key of keys) await client.command('INCR', key);
    if (this.#note(keys, await client.command('EXEC')) === 'refused') this.refusedPairs += 1;
  }

  #note(keys: readonly string[], reply: unknown): ReturnType<typeof outcomeOf> {
    const outcome = outcomeOf(reply);
    if (outcome === 'other') throw new Error(`INCR ${keys.join(' ')} was answered ${String(reply)}`);
    if (outcome === 'refused') return outcome;
    if (outcome === 'unknown') this.unknown += 1;
    for (const key of keys) {
      const told = this.#told.get(key) ?? { acknowledged: 0, unknown: 0 };
      this.#told.set(key, told);
      told[outcome] += 1;
    }
    return outcome;
  }
}

const outcomeOf = (reply: unknown): 'acknowledged' | 'unknown' | 'refused' | 'other' => {
  if (typeof reply === 'number' || Array.isArray(reply)) return 'acknowledged';
  const code = reply instanceof ReplyError ? reply.message.split(' ')[0] : '';
  if (code === 'UNKNOWN') return 'unknown';
  return code === 'TRYAGAIN' ? 'refused' : 'other';
};
