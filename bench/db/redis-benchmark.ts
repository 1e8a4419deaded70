import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DbCluster } from '../../dataplane/db/testing/cluster.ts';
import { cpuSeconds } from '../figures.ts';

const run = promisify(execFile);

/** A database under test. */
export interface Side {
  readonly name: string;
  readonly port: number;
  /** Its server processes. */
  readonly pids: () => number[];
}

/** What redis-benchmark measured: requests per second, milliseconds. */
export interface Result {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of CPU per 1,000 requests. */
  readonly cpu: number;
}

/** Keys are `key:000000000000` to one less than this. */
export const keySpace = 100_000;

const cpuOf = ({ pids }: Side): number => pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0);

const benchmark = async (side: Side, test: string, clients: number, requests: number): Promise<Result> => {
  const before = cpuOf(side);
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
    String(keySpace),
    '-d',
    '100',
    '--csv',
  ];
  const { stdout } = await run('redis-benchmark', args);
  const cpu = ((cpuOf(side) - before) * 1e6) / requests;
  const row = stdout.trim().split('\n').at(-1)?.replaceAll('"', '').split(',').map(Number) ?? [];
  return { rps: row[1] ?? 0, p50: row[4] ?? 0, p99: row[6] ?? 0, cpu };
};

/** Runs redis-benchmark for about so many seconds: a short run finds the rate first. */
export const timed = async (side: Side, test: string, clients: number, seconds: number): Promise<Result> => {
  const probe = await benchmark(side, test, clients, Math.max(200, clients * 8));
  return benchmark(side, test, clients, Math.max(500, Math.round(probe.rps * seconds)));
};

/** All processes of a cluster, reached through its first gateway unless a port is given. */
export const quartet = (cluster: DbCluster, port = cluster.port): Side => ({
  name: 'Quartet',
  port,
  pids: () => [
    ...cluster.nats.servers.map(({ pid }) => pid),
    ...[...cluster.gateways, ...[...cluster.members.values()].flat()].map(({ child }) => child.pid),
  ],
});
