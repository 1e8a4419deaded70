import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild } from '../../local/processes/child.ts';
import { freePorts } from '../../local/processes/ports.ts';
import { until } from '../../local/processes/until.ts';
import { tool } from '../../local/tools.ts';

const run = promisify(execFile);

/** What etcd's own client measured: requests per second, milliseconds. */
export interface EtcdResult {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
}

export interface EtcdCluster {
  readonly pids: () => number[];
  measure(test: 'set' | 'transaction', clients: number, seconds: number): Promise<EtcdResult>;
  stop(): Promise<void>;
}

/** Three members of etcd with its defaults (every write is on a majority's disks before it is answered). Needs go on PATH. */
export const startEtcd = async (dir: string): Promise<EtcdCluster> => {
  const command = await tool('etcd');
  const load = join(dir, 'etcd-load');
  await run('go', ['build', '-o', load, '.'], { cwd: join(import.meta.dirname, 'etcd-load') });
  const ports = await freePorts(6);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const members = [0, 1, 2].map((i) => ({ name: `etcd-${i}`, client: urls[i] ?? '', peer: urls[i + 3] ?? '' }));
  const initial = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const children = members.map(({ name, client, peer }) => {
    const args = ['--name', name, '--data-dir', join(dir, name), '--log-level', 'error', '--initial-cluster', initial];
    args.push('--listen-client-urls', client, '--advertise-client-urls', client);
    args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer);
    return startChild({ name, command, args, log: join(dir, `${name}.log`) });
  });
  for (const { name, client } of members) {
    await until({ what: name, timeoutMs: 60_000 }, async () => {
      const answer = await fetch(`${client}/health`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });
  }
  const endpoints = members.map(({ client }) => client).join(',');
  return {
    pids: () => children.map(({ pid }) => pid),
    measure: async (test, clients, seconds) => {
      const args = ['-endpoints', endpoints, '-clients', clients, '-seconds', seconds, '-test', test].map(String);
      const { stdout } = await run(load, args);
      return JSON.parse(stdout) as EtcdResult;
    },
    stop: async () => void (await Promise.all(children.map((child) => child.stop(5_000)))),
  };
};
