import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unsplit } from '../../../contract/directory.ts';
import { logStream } from '../../../contract/subjects.ts';
import { until } from '../../../local/processes/until.ts';
import { putDirectory } from '../../fabric/testing.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-watch-'));
let cluster: DbCluster;
let writer: RawClient;

beforeAll(async () => {
  const shards = [
    { name: 'app-0', start: '', end: 'm' },
    { name: 'app-1', start: 'm', end: '' },
  ];
  cluster = await startDbCluster({ dir, members: 2, shards });
  const second = await cluster.addGateway();
  await until({ what: 'the second gateway', timeoutMs: 20_000 }, async () => {
    const client = await rawClient(second.port);
    client.close();
    return true;
  });
  writer = await rawClient(cluster.port);
}, 120_000);

afterAll(async () => {
  writer.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

const ask = async (client: RawClient, ...command: (string | Buffer)[]): Promise<unknown> =>
  plain(await client.command(...command));

type Row = [kind: string, key: string, type: string | null, value: string | null, expireAt: number];
type Message = ['qwatch', string, Row[]];

/** What one watching client was told. */
class Watcher {
  readonly rows: string[] = [];
  readonly client: RawClient;
  /** To go on from. */
  cursor: string;

  constructor(client: RawClient, cursor: string) {
    this.client = client;
    this.cursor = cursor;
  }

  static async start(prefix: string, from: string | null, port = cluster.port, protocol = '2'): Promise<Watcher> {
    const client = await rawClient(port);
    await client.command('HELLO', protocol);
    const cursor = await ask(client, 'QWATCH', prefix, ...(from === null ? [] : ['FROM', from]));
    return new Watcher(client, String(cursor));
  }

  /** Reads messages until there are so many changes. */
  async read(count: number): Promise<void> {
    while (this.rows.length < count) {
      const message = plain(await this.client.next()) as Message | undefined;
      if (!message) throw new Error('the connection ended');
      this.cursor = message[1];
      this.rows.push(...message[2].map(([kind, key, , value]) => `${kind} ${key} ${value}`));
    }
  }
}

test.each(['2', '3'])(
  'over RESP%s: every change of keys with the prefix, in all shards, and no other',
  async (protocol) => {
    const watcher = await Watcher.start('', null, cluster.port, protocol);
    const cursor = watcher.cursor;
    const keys = ['a:1', 'z:1'].map((key) => `${key}:${protocol}`);
    for (const key of keys) await ask(writer, 'SET', key, 'v');
    await ask(writer, 'HSET', `h:${protocol}`, 'f', 'v');
    await ask(writer, 'DEL', keys[1] ?? '');
    const expected = [`put ${keys[0]} v`, `put ${keys[1]} v`, `put h:${protocol} null`, `delete ${keys[1]} null`];
    await until({ what: 'the changes', timeoutMs: 20_000 }, async () => {
      await watcher.read(watcher.rows.length + 1);
      return expected.every((row) => watcher.rows.includes(row)) ? true : undefined;
    });
    const part = await Watcher.start(keys[1] ?? '', cursor.split(',')[1] ?? '', cluster.port, protocol);
    await part.read(2);
    expect(part.rows).toEqual([`put ${keys[1]} v`, `delete ${keys[1]} null`]);
    for (const { client } of [watcher, part]) client.close();
  },
);

test('in RESP2 a watching client can end the watch, and little else; then it is as before', async () => {
  const { client } = await Watcher.start('nobody:', null);
  expect(await ask(client, 'GET', 'a')).toMatch(/^-ERR Can't execute 'get'/);
  expect(await ask(client, 'PING')).toEqual(['pong', '']);
  expect(await ask(client, 'QUNWATCH')).toBe('OK');
  expect(await ask(client, 'PING')).toBe('PONG');
  expect(await ask(client, 'QWATCH', 'body:', 'FROM', '1')).toBe('app-0:1');
  expect(await ask(client, 'RESET')).toBe('RESET');
  client.close();
});

test.each([
  [['QWATCH', '', 'FROM', '1'], /^-CROSSSHARD .*say FROM app-0:1,app-1:1$/],
  [['QWATCH', '', 'FROM', 'app-0:1'], /^-COMPACTED .*now app-0, app-1/],
  [['QWATCH', 'a', 'FROM', '0'], /^-ERR '0' is no sequence/],
  [['QWATCH', 'a', 'SINCE', '1'], /^-ERR syntax error/],
  [['QWATCH', 'a'.repeat(1025)], /^-ERR a prefix exceeds/],
])('%j is refused with what to do, and the connection does not watch', async (command, error) => {
  expect(await ask(writer, ...command)).toMatch(error);
  expect(await ask(writer, 'PING')).toBe('PONG');
});

test('nothing is lost or doubled over breaks, other gateways and kill -9 of a primary', async () => {
  const total = 300;
  const key = (i: number): string => `${i % 2 === 0 ? 'b' : 'y'}:watched:${i}`;
  const seen: string[] = [];
  let watcher = await Watcher.start('', null);
  const write = async (): Promise<void> => {
    for (let i = 0; i < total; i++) {
      // Repeated until it is surely there: the same value twice would be a doubled change of our own making.
      const done = async (): Promise<true | undefined> =>
        (await ask(writer, 'SET', key(i), String(i), 'NX')) === 'OK' || (await ask(writer, 'GET', key(i))) === String(i)
          ? true
          : undefined;
      await until({ what: `write ${i}`, timeoutMs: 20_000 }, done);
      if (i === total / 3) await killPrimary();
    }
  };
  const read = async (): Promise<void> => {
    while (seen.length < total) {
      watcher.rows.length = 0;
      await watcher.read(Math.min(1 + Math.floor(Math.random() * 20), total - seen.length));
      seen.push(...watcher.rows.filter((row) => row.includes(':watched:')));
      if (seen.length >= total) break;
      const { cursor } = watcher;
      watcher.client.socket.resetAndDestroy();
      const gateway = cluster.gateways[Math.floor(Math.random() * 2)];
      watcher = await Watcher.start('', cursor, gateway?.port, Math.random() < 0.5 ? '2' : '3');
    }
  };
  await Promise.all([write(), read()]);
  const expected = Array.from({ length: total }, (_, i) => `put ${key(i)} ${i}`);
  for (const shard of ['put b:', 'put y:']) {
    expect(seen.filter((row) => row.startsWith(shard))).toEqual(expected.filter((row) => row.startsWith(shard)));
  }
  watcher.client.close();
}, 120_000);

/** Kills the primary of app-0 and plays the operator. */
const killPrimary = async (): Promise<void> => {
  const old = await cluster.primary('app-0');
  await old.kill();
  const next = cluster.members.get('app-0')?.find(({ pod }) => pod !== old.pod);
  await cluster.promote(next?.pod ?? '', (cluster.report(old.pod)?.term ?? 0) + 1);
  old.restart();
};

test('for who reads nothing less than 3 MB wait at the gateway, and it misses nothing when it reads on', async () => {
  const watcher = await Watcher.start('slow:', null);
  watcher.client.socket.pause();
  const value = 'v'.repeat(500_000);
  const count = 60;
  for (let i = 0; i < count; i++) expect(await ask(writer, 'SET', `slow:${i}`, value)).toBe('OK');
  const waiting = async (): Promise<number> =>
    Number(/omem=(\d+) cmd=qwatch/.exec(String(await ask(writer, 'CLIENT', 'LIST')))?.[1] ?? 0);
  // How much the kernel holds besides is its own affair.
  expect(await waiting()).toBeLessThan(3 * 1024 * 1024);
  watcher.client.socket.resume();
  await watcher.read(count);
  expect(watcher.rows.map((row) => row.split(' ')[1])).toEqual(Array.from({ length: count }, (_, i) => `slow:${i}`));
  watcher.client.close();
}, 60_000);

test('changes that are kept no more are COMPACTED, and the answer says what is', async () => {
  // More than members remember has been written meanwhile; their log loses its beginning.
  const applied = cluster.report((await cluster.primary('app-1')).pod)?.applied ?? 0;
  const manager = await jetstreamManager(cluster.operator.nats);
  const stream = logStream({ kind: 'db', namespace: 'test', name: 'app-1' });
  await manager.streams.purge(stream, { seq: applied });
  const { client } = await Watcher.start('slow:', 'app-1:1');
  expect(plain(await client.next())).toEqual(['qwatch', expect.stringMatching(/^-COMPACTED .*the oldest is \d+$/)]);
  expect(await ask(client, 'PING')).toBe('PONG');
  const again = await Watcher.start('slow:', null);
  expect(await ask(writer, 'SET', 'slow:again', '1')).toBe('OK');
  await again.read(1);
  expect(again.rows.at(-1)).toBe('put slow:again 1');
  for (const each of [client, again.client]) each.close();
});

test('when the keys come to lie in other shards the watch ends and says what to do', async () => {
  const watcher = await Watcher.start('z', null);
  await putDirectory(cluster.operator, 'db', {
    kind: 'db',
    namespace: 'test',
    name: 'app-2',
    database: 'app',
    start: 'z',
    end: '',
    log: null,
    members: [],
    primary: null,
    term: 0,
    conflict: null,
    ...unsplit,
  });
  expect(plain(await watcher.client.next())).toEqual([
    'qwatch',
    expect.stringMatching(/^-COMPACTED the keys are in other shards .*now app-1, app-2.*watch without FROM$/),
  ]);
  expect(await ask(watcher.client, 'PING')).toBe('PONG');
  expect(await ask(watcher.client, 'QWATCH', 'z', 'FROM', watcher.cursor)).toMatch(/^-COMPACTED/);
  watcher.client.close();
});
