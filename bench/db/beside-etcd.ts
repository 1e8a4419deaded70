/**
 * Durable writes per second of one shard with three members and three nats-servers, beside etcd with three members on the same
 * disk, both driven by one program with the ordinary Go client of each side: SETs, and transactions (MULTI, two SETs and EXEC;
 * etcd's compare and two puts). Through a gateway, and at the primary's own Service. Needs go on PATH.
 *
 *     node bench/db/beside-etcd.ts [--tests set,transaction] [--clients 1,16,64,512] [--seconds 5]
 *
 * Prints rows of a Markdown table.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDbCluster } from '../../dataplane/db/testing/cluster.ts';
import { startEtcd } from './etcd.ts';
import { buildLoad, type LoadResult } from './load.ts';

const { values: options } = parseArgs({
  options: {
    tests: { type: 'string', default: 'set,transaction' },
    clients: { type: 'string', default: '1,16,64,512' },
    seconds: { type: 'string', default: '5' },
  },
});
const seconds = Number(options.seconds);

const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-db-'));
const cluster = await startDbCluster({ dir, members: 3, natsServers: 3 });
const etcd = await startEtcd(dir);
const load = await buildLoad(dir);
const { port: atPrimary } = await cluster.primary('app-0');
const cell = ({ rps, p50, p99 }: LoadResult): string => `${Math.round(rps)}, ${p50.toFixed(1)} / ${p99.toFixed(1)}`;
const against = (ours: LoadResult, theirs: LoadResult): string =>
  `${cell(ours)} | ${(ours.rps / theirs.rps).toFixed(2)} x`;
console.log(
  '| test | clients | gateway /s, p50 / p99 ms | : etcd | primary /s, p50 / p99 ms | : etcd | etcd /s, p50 / p99 ms |',
);
console.log('|---|---|---|---|---|---|---|');
for (const test of options.tests.split(',')) {
  if (test !== 'set' && test !== 'transaction') throw new Error(`no test ${test}`);
  for (const clients of options.clients.split(',').map(Number)) {
    const gateway = await load({ redis: cluster.port }, test, clients, seconds);
    const primary = await load({ redis: atPrimary }, test, clients, seconds);
    const theirs = await load({ etcd: etcd.endpoints }, test, clients, seconds);
    console.log(
      `| ${test} | ${clients} | ${against(gateway, theirs)} | ${against(primary, theirs)} | ${cell(theirs)} |`,
    );
  }
}
await etcd.stop();
await cluster.stop();
rmSync(dir, { recursive: true, force: true });
