/**
 * Durable SETs and GETs per second through the gateway, beside Redis with appendfsync always and, for SETs, etcd with
 * three members, on the same disk and in the same run. Needs redis-server, redis-benchmark and go on PATH.
 *
 *     node bench/db/durable.ts [--clients 1,64,512] [--seconds 5] [--members 3] [--nats 1] [--no-etcd]
 *
 * Prints rows of a Markdown table. CPU is that of all server processes of a side, per 1,000 requests.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startDbCluster, type DbCluster } from '../../dataplane/db/testing/cluster.ts';
import { rawClient } from '../../dataplane/db/testing/raw-client.ts';
import { freePorts } from '../../local/processes/ports.ts';
import { until } from '../../local/processes/until.ts';
import { startEtcd, type EtcdResult } from './etcd.ts';

const run = promisify(execFile);

const { values: options } = parseArgs({
  options: {
    clients: { type: 'string', default: '1,64,512' },
    seconds: { type: 'string', default: '5' },
    members: { type: 'string', default: '3' },
    nats: { type: 'string', default: '1' },
    tests: { type: 'string', default: 'set,get' },
    etcd: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

interface Side {
  readonly name: string;
  readonly port: number;
  /** Its server processes. */
  readonly pids: () => number[];
}

interface Result {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of CPU per 1,000 requests. */
  readonly cpu: number;
}

const ticksPerSecond = 100;

/** Seconds of CPU that processes have used. */
const cpuSeconds = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }, 0);

const benchmark = async (side: Side, test: string, clients: number, requests: number): Promise<Result> => {
  const before = cpuSeconds(side.pids());
  const args = [
    '-p',
    String(side.port),
    '-t',
    test,
    '-c',
    String(clients),
    '-n',
    String(requests),
    '-r',
    '100000',
    '-d',
    '100',
    '--csv',
  ];
  const { stdout } = await run('redis-benchmark', args);
  const cpu = ((cpuSeconds(side.pids()) - before) * 1e6) / requests;
  const row = stdout.trim().split('\n').at(-1)?.replaceAll('"', '').split(',').map(Number) ?? [];
  return { rps: row[1] ?? 0, p50: row[4] ?? 0, p99: row[6] ?? 0, cpu };
};

/** Runs for about so many seconds: a short run finds the rate first. */
const timed = async (side: Side, test: string, clients: number): Promise<Result> => {
  const probe = await benchmark(side, test, clients, Math.max(200, clients * 8));
  return benchmark(side, test, clients, Math.max(500, Math.round(probe.rps * Number(options.seconds))));
};

const startRedis = async (dir: string): Promise<{ side: Side; stop: () => Promise<void> }> => {
  const [port = 0] = await freePorts(1);
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

const quartet = (cluster: DbCluster): Side => ({
  name: 'Quartet',
  port: cluster.port,
  pids: () => [
    ...cluster.nats.servers.map(({ pid }) => pid),
    ...[...cluster.gateways, ...[...cluster.members.values()].flat()].map(({ child }) => child.pid),
  ],
});

const row = (
  test: string,
  clients: number,
  [ours, theirs, etcds]: readonly [Result, Result, EtcdResult | null],
): string => {
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
    ...(etcds === null
      ? ['', '', '']
      : [
          Math.round(etcds.rps),
          `${(ours.rps / etcds.rps).toFixed(2)} x`,
          `${etcds.p50.toFixed(1)} / ${etcds.p99.toFixed(1)}`,
        ]),
  ];
  return `| ${cells.join(' | ')} |`;
};

const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-db-'));
const cluster = await startDbCluster({
  dir,
  members: Number(options.members),
  natsServers: options.nats === '3' ? 3 : 1,
});
const redis = await startRedis(dir);
const etcd = options.etcd ? await startEtcd(dir) : null;
console.log(
  '| command | clients | Quartet/s | Redis/s | ratio | Quartet p50 / p99 ms | Redis p50 / p99 ms | CPU ms per 1,000 | Redis CPU | etcd/s | ratio | etcd p50 / p99 ms |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|');
for (const test of options.tests.split(',')) {
  for (const clients of options.clients.split(',').map(Number)) {
    const ours = await timed(quartet(cluster), test, clients);
    const theirs = await timed(redis.side, test, clients);
    const etcds = test === 'set' && etcd !== null ? await etcd.measure('set', clients, Number(options.seconds)) : null;
    console.log(row(test, clients, [ours, theirs, etcds]));
  }
}
await etcd?.stop();
await redis.stop();
await cluster.stop();
rmSync(dir, { recursive: true, force: true });
