/**
 * Durable SETs and GETs per second of one database with 1, 2 and 4 shards, through one gateway, in one run. Needs
 * redis-benchmark on PATH.
 *
 *     node bench/db/scaling.ts [--shards 1,2,4] [--clients 512] [--seconds 5] [--members 3] [--nats 1]
 *
 * Prints rows of a Markdown table. All processes share the cores of this computer: what a shard more costs can be seen here,
 * what it brings on a machine of its own cannot.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDbCluster, type ShardPlan } from '../../dataplane/db/testing/cluster.ts';
import { keySpace, quartet, timed } from './redis-benchmark.ts';

const { values: options } = parseArgs({
  options: {
    shards: { type: 'string', default: '1,2,4' },
    clients: { type: 'string', default: '512' },
    seconds: { type: 'string', default: '5' },
    members: { type: 'string', default: '3' },
    nats: { type: 'string', default: '1' },
  },
});

/** Shards with equal parts of the keys that redis-benchmark writes. */
const plans = (count: number): ShardPlan[] => {
  const bound = (i: number): string =>
    i === 0 || i === count ? '' : `key:${String(Math.round((i * keySpace) / count)).padStart(12, '0')}`;
  return Array.from({ length: count }, (_, i) => ({ name: `app-${i}`, start: bound(i), end: bound(i + 1) }));
};

console.log('| shards | command | clients | requests/s | to one shard | p50 / p99 ms | CPU ms per 1,000 |');
console.log('|---|---|---|---|---|---|---|');
const ofOne = new Map<string, number>();
for (const count of options.shards.split(',').map(Number)) {
  const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-db-'));
  const natsServers = options.nats === '3' ? 3 : 1;
  const cluster = await startDbCluster({ dir, members: Number(options.members), natsServers, shards: plans(count) });
  for (const test of ['set', 'get']) {
    for (const clients of options.clients.split(',').map(Number)) {
      const { rps, p50, p99, cpu } = await timed(quartet(cluster), test, clients, Number(options.seconds));
      const key = `${test} ${clients}`;
      ofOne.set(key, ofOne.get(key) ?? rps);
      const ratio = `${(rps / (ofOne.get(key) ?? rps)).toFixed(2)} x`;
      const cells = [count, test.toUpperCase(), clients, Math.round(rps), ratio];
      console.log(`| ${[...cells, `${p50.toFixed(1)} / ${p99.toFixed(1)}`, cpu.toFixed(0)].join(' | ')} |`);
    }
  }
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}
