/**
 * Durable SETs and GETs per second through the gateway, beside Redis with appendfsync always on the same disk and in the
 * same run. Needs redis-server and redis-benchmark on PATH.
 *
 *     node bench/db/durable.ts [--clients 1,64,512] [--seconds 5] [--members 3] [--nats 1] [--tests set,get]
 *
 * Prints rows of a Markdown table. CPU is that of all server processes of a side, per 1,000 requests.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDbCluster } from '../../dataplane/db/testing/cluster.ts';
import { rawClient } from '../../dataplane/db/testing/raw-client.ts';
import { freePort } from '../../local/processes/ports.ts';
import { until } from '../../local/processes/until.ts';
import { quartet, timed, type Result, type Side } from './redis-benchmark.ts';

const { values: options } = parseArgs({
  options: {
    clients: { type: 'string', default: '1,64,512' },
    seconds: { type: 'string', default: '5' },
    members: { type: 'string', default: '3' },
    nats: { type: 'string', default: '1' },
    tests: { type: 'string', default: 'set,get' },
  },
});

const startRedis = async (dir: string): Promise<{ side: Side; stop: () => Promise<void> }> => {
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
    '--save',
    '',
    '--dir',
    dir,
  ];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until({ what: 'redis-server', timeoutMs: 10_000 }, async () => {
    const client = await rawClient(port);
    client.close();
    return true;
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { side: { name: 'Redis', port, pids: () => [child.pid ?? 0] }, stop };
};

const row = (test: string, clients: number, ours: Result, theirs: Result): string => {
  const cells = [
    test.toUpperCase(),
    clients,
    Math.round(ours.rps),
    Math.round(theirs.rps),
    `${(ours.rps / theirs.rps).toFixed(2)} x`,
    `${ours.p50.toFixed(1)} / ${ours.p99.toFixed(1)}`,
    `${theirs.p50.toFixed(1)} / ${theirs.p99.toFixed(1)}`,
    ours.cpu.toFixed(0),
    theirs.cpu.toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
};

const seconds = Number(options.seconds);
const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-db-'));
const cluster = await startDbCluster({
  dir,
  members: Number(options.members),
  natsServers: options.nats === '3' ? 3 : 1,
});
const redis = await startRedis(dir);
console.log(
  '| command | clients | Quartet/s | Redis/s | ratio | Quartet p50 / p99 ms | Redis p50 / p99 ms | CPU ms per 1,000 | Redis CPU |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const test of options.tests.split(',')) {
  for (const clients of options.clients.split(',').map(Number)) {
    const ours = await timed(quartet(cluster), test, clients, seconds);
    const theirs = await timed(redis.side, test, clients, seconds);
    console.log(row(test, clients, ours, theirs));
  }
}
await redis.stop();
await cluster.stop();
rmSync(dir, { recursive: true, force: true });
