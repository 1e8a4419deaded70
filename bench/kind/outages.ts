/**
 * How long a database takes no write when its primary's pod is killed and when its node is: `node bench/kind/outages.ts
 * [pods] [nodes]` (20 and 5 runs) prints p50 and max. Measured at clients that write every 10 ms, through the gateways, on
 * the cluster that `make kind` brought up.
 *
 * `database` is the longest time in which no client had a write acknowledged; `worst client` includes the time that a client
 * needs to notice that its own gateway is gone with the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from '../../e2e/eventually.ts';
import { OutageClock } from '../../e2e/workloads/outage.ts';
import type { Endpoints } from '../../e2e/resources.ts';
import { KindCluster } from '../../e2e/kind/cluster.ts';
import { killContainers, killNode, startNode } from '../../e2e/kind/faults.ts';
import { place } from './place.ts';

const shard = 'app-a';
const clients = 6;

/** One connection that writes every 10 ms to a key of its own. */
class Writer {
  readonly outage = new OutageClock();
  readonly #redis: Redis;
  readonly #all: OutageClock;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** @param all the clock of all clients together */
  constructor({ host, database }: Endpoints, key: string, all: OutageClock) {
    this.#all = all;
    this.#redis = new Redis({
      host,
      port: database,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
      connectTimeout: 1_000,
      // a machine that is gone does not say so
      socketTimeout: 1_000,
    });
    this.#redis.on('error', () => {});
    this.#running = this.#write(key);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#redis.disconnect();
    await this.#running;
  }

  async #write(key: string): Promise<void> {
    for (let number = 1; !this.#stop.signal.aborted; number++) {
      const started = performance.now();
      try {
        await this.#redis.set(key, number);
        this.outage.success();
        this.#all.success();
      } catch {
        // it counts as nothing: the clock goes on
      }
      await sleep(Math.max(0, 10 - (performance.now() - started)));
    }
  }
}

interface Outage {
  readonly database: number;
  readonly worstClient: number;
}

/** Writes, breaks, waits until another replica leads and every client writes again, and returns what the clocks say. */
const measure = async (cluster: KindCluster, breakIt: (primary: string) => Promise<void>): Promise<Outage> => {
  const all = new OutageClock();
  const writers = Array.from({ length: clients }, (_, i) => new Writer(cluster.endpoints, `a-outage-${i}`, all));
  const everyoneWrites = async () => {
    if (writers.some(({ outage }) => outage.sinceSuccessMs > 500)) throw new Error('a client cannot write');
  };
  try {
    await sleep(500);
    await eventually(everyoneWrites, 30_000, 20);
    for (const clock of [all, ...writers.map(({ outage }) => outage)]) clock.reset();
    const before = await cluster.status('dbshards', shard);
    await breakIt(before.primary ?? '');
    await eventually(async () => {
      const after = await cluster.status('dbshards', shard);
      if (!((after.term ?? 0) > (before.term ?? 0))) throw new Error('nobody else leads');
    }, 60_000);
    await eventually(everyoneWrites, 60_000, 20);
    return { database: all.longestMs, worstClient: Math.max(...writers.map(({ outage }) => outage.longestMs)) };
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }
};

const print = (what: string, outages: readonly Outage[], goalMs: number): void => {
  for (const figure of ['database', 'worstClient'] as const) {
    const sorted = outages.map((outage) => outage[figure]).toSorted((a, b) => a - b);
    const p50 = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
    const max = sorted.at(-1) ?? 0;
    const name = figure === 'database' ? `${what}: database` : `${what}: worst client`;
    console.log(`| ${name} | ${sorted.length} | ${p50} | ${max} | ${goalMs} |`);
  }
};

const [pods = 20, nodes = 5] = process.argv.slice(2).map(Number);
const cluster = new KindCluster(await place());

const killed: Outage[] = [];
for (let run = 1; run <= pods; run++) {
  await cluster.settled(120_000);
  killed.push(await measure(cluster, async (primary) => killContainers(await cluster.pod(primary))));
  console.log(`pod ${run}: ${JSON.stringify(killed.at(-1))}`);
}
const lost: Outage[] = [];
for (let run = 1; run <= nodes; run++) {
  await cluster.settled(180_000);
  const { node } = await cluster.pod((await cluster.status('dbshards', shard)).primary ?? '');
  try {
    lost.push(await measure(cluster, async () => void (await killNode(node))));
  } finally {
    await startNode(node);
    await cluster.nodeIs(node, 'True', 90_000);
  }
  console.log(`node ${run}: ${JSON.stringify(lost.at(-1))}`);
}
await cluster.settled(180_000);
console.log('\n| write outage, ms | runs | p50 | max | goal |\n|---|---:|---:|---:|---:|');
if (killed.length > 0) print('primary killed', killed, 3_000);
if (lost.length > 0) print('node killed', lost, 5_000);
