import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inboxPrefix, natsUsers, type NatsUser } from '../../contract/permissions.ts';
import { startChild } from '../../local/processes/child.ts';
import { freePorts } from '../../local/processes/ports.ts';
import { until } from '../../local/processes/until.ts';
import { tool } from '../../local/tools.ts';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { render, type Rendered } from './helm.ts';

type ConfigMap = Rendered & { readonly data?: Readonly<Record<string, string>> };

/** A nats-server that runs with the chart's configuration. */
export interface AuthorizedNats {
  readonly url: string;
  readonly passwords: Readonly<Record<NatsUser, string>>;
  connect(user: NatsUser): Promise<NatsConnection>;
  /** Lines of the server's log about something that a user tried and may not do. */
  violations(): Promise<string[]>;
  stop(): Promise<void>;
}

/** The chart's nats.conf, on loopback and in a folder of its own. */
const configuration = async (dir: string, client: number, monitor: number): Promise<string> => {
  const objects = await render<ConfigMap>('quartet', ['nats.replicas=1']);
  const text = objects.map(({ data }) => data?.['nats.conf']).find((conf) => conf !== undefined) ?? '';
  return text
    .replace('0.0.0.0:4222', `127.0.0.1:${client}`)
    .replace('0.0.0.0:8222', `127.0.0.1:${monitor}`)
    .replace('"/data"', JSON.stringify(join(dir, 'data')))
    .replace('/var/run/nats/nats.pid', join(dir, 'nats.pid'));
};

/** Starts nats-server as the chart configures it, one server. */
export const startAuthorizedNats = async (dir: string): Promise<AuthorizedNats> => {
  await mkdir(dir, { recursive: true });
  const [client = 0, monitor = 0] = await freePorts(2);
  const conf = join(dir, 'nats.conf');
  const log = join(dir, 'nats.log');
  await writeFile(conf, await configuration(dir, client, monitor));
  const passwords = Object.fromEntries(natsUsers.map((user) => [user, `q${user}Password`])) as Record<NatsUser, string>;
  const environment = Object.entries({ ...passwords, system: 'qsystem' }).map(([user, password]) => [
    `${user.toUpperCase()}_PASSWORD`,
    password,
  ]);
  const child = startChild({
    name: 'nats',
    command: await tool('nats-server'),
    args: ['-c', conf],
    log,
    env: { ...process.env, POD_NAME: 'nats-0', ...Object.fromEntries(environment) },
  });
  const url = `nats://127.0.0.1:${client}`;
  await until({ what: 'nats-server', timeoutMs: 20_000 }, async () =>
    (await fetch(`http://127.0.0.1:${monitor}/healthz`).catch(() => undefined))?.ok ? true : undefined,
  );
  return {
    url,
    passwords,
    connect: (user) =>
      connect({ servers: url, user, pass: passwords[user], inboxPrefix: inboxPrefix(user), reconnect: false }),
    violations: async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('Violation')),
    stop: async () => {
      await child.stop(5_000);
    },
  };
};
