import { join } from 'node:path';
import { startChild } from '../../local/processes/child.ts';
import { freePorts } from '../../local/processes/ports.ts';
import { until } from '../../local/processes/until.ts';
import { tool } from '../../local/tools.ts';

export interface EtcdCluster {
  readonly pids: () => number[];
  /** Client addresses of its members. */
  readonly endpoints: readonly string[];
  stop(): Promise<void>;
}

/** Three members of etcd with its defaults (every write is on a majority's disks before it is answered). */
export const startEtcd = async (dir: string): Promise<EtcdCluster> => {
  const command = await tool('etcd');
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
  return {
    pids: () => children.map(({ pid }) => pid),
    endpoints: members.map(({ client }) => client),
    stop: async () => void (await Promise.all(children.map((child) => child.stop(5_000)))),
  };
};
