import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-bank-'));
let cluster: DbCluster;

/** Accounts in both shards; money moves between them and never appears or vanishes. */
const accounts = ['a1', 'a2', 'z1', 'z2'];

beforeAll(async () => {
  cluster = await startDbCluster({
    dir,
    shards: [
      { name: 'app-0', start: '', end: 'm' },
      { name: 'app-1', start: 'm', end: '' },
    ],
  });
  await cluster.addGateway();
}, 120_000);

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

interface Counts {
  done: number;
  unsure: number;
  sums: Set<unknown>;
}

const pick = (): string => accounts[Math.floor(Math.random() * accounts.length)] ?? 'a1';

const transfer = async (client: RawClient, counts: Counts): Promise<void> => {
  const [from, to] = [pick(), pick()];
  client.write(`MULTI\r\nDECRBY ${from} 1\r\nINCRBY ${to} 1\r\nEXEC\r\n`);
  const reply = (await client.many(4)).map(plain)[3];
  if (Array.isArray(reply)) counts.done++;
  else counts.unsure++;
};

const audit = async (client: RawClient, counts: Counts): Promise<void> => {
  client.write(`MULTI\r\n${accounts.map((account) => `GET ${account}\r\n`).join('')}EXEC\r\n`);
  const reply = plain((await client.many(accounts.length + 2)).at(-1));
  if (Array.isArray(reply)) counts.sums.add((reply as unknown[]).reduce<number>((sum, each) => sum + Number(each), 0));
};

/** One client that goes on through failures of its gateway, until it is told to stop. */
const work = async (port: number, counts: Counts, ended: () => boolean): Promise<void> => {
  while (!ended()) {
    const client = await rawClient(port).catch(() => null);
    if (client === null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    while (!ended() && !client.socket.destroyed && !client.socket.readableEnded) {
      await (Math.random() < 0.3 ? audit(client, counts) : transfer(client, counts));
    }
    client.close();
  }
};

test('money is neither made nor lost while gateways and primaries are killed, and nothing stays locked', async () => {
  const setUp = await rawClient(cluster.port);
  expect(plain(await setUp.command('MSET', ...accounts.flatMap((account) => [account, '100'])))).toBe('OK');
  const counts: Counts = { done: 0, unsure: 0, sums: new Set() };
  let ended = false;
  const [first, second] = cluster.gateways;
  if (!first || !second) throw new Error('no gateways');
  const ports = [first.port, second.port, second.port, second.port];
  const workers = ports.map((port) => work(port, counts, () => ended));
  const progress = async (more: number): Promise<void> => {
    const wanted = counts.done + more;
    await until(
      { what: `${more} more transfers`, timeoutMs: 30_000, everyMs: 20 },
      () => counts.done >= wanted || undefined,
    );
  };
  await progress(50);
  for (let i = 0; i < 3; i++) {
    await second.kill();
    second.restart();
    await progress(30);
  }
  const primary = await cluster.primary('app-1');
  await primary.kill();
  const survivor = (cluster.members.get('app-1') ?? []).find(({ pod }) => pod !== primary.pod)?.pod ?? '';
  await cluster.promote(survivor, 5);
  await progress(30);
  await second.kill();
  const killedAt = performance.now();
  ended = true;
  await Promise.all(workers);
  const balances = await setUp.command('MGET', ...accounts);
  expect((plain(balances) as string[]).reduce((sum, each) => sum + Number(each), 0)).toBe(400);
  expect(plain(await setUp.command('MSET', ...accounts.flatMap((account) => [account, '1'])))).toBe('OK');
  // A few seconds: what the killed gateway held was taken over.
  expect(performance.now() - killedAt).toBeLessThan(9_000);
  expect([...counts.sums]).toEqual([400]);
  setUp.close();
}, 120_000);

test('a key moves to another shard with its type and its time to live', async () => {
  const client = await rawClient(cluster.port);
  await client.command('HSET', 'a:hash', 'f', '1', 'g', '2');
  await client.command('PEXPIRE', 'a:hash', '100000');
  expect(plain(await client.command('RENAME', 'a:hash', 'z:hash'))).toBe('OK');
  expect(plain(await client.command('EXISTS', 'a:hash'))).toBe(0);
  expect(plain(await client.command('HGET', 'z:hash', 'g'))).toBe('2');
  expect(Number(plain(await client.command('PTTL', 'z:hash')))).toBeGreaterThan(50_000);
  await client.command('SET', 'a:taken', '1');
  expect(plain(await client.command('RENAMENX', 'z:hash', 'a:taken'))).toBe(0);
  expect(plain(await client.command('RENAME', 'a:none', 'z:none'))).toBe('-ERR no such key');
  expect(plain(await client.command('MSETNX', 'a:free', '1', 'z:hash', '1'))).toBe(0);
  expect(plain(await client.command('MSETNX', 'a:free', '1', 'z:free', '1'))).toBe(1);
  client.close();
}, 30_000);

test('WATCH over shards: a key created and deleted meanwhile counts as changed', async () => {
  const [client, other] = await Promise.all([rawClient(cluster.port), rawClient(cluster.port)]);
  await client.command('WATCH', 'a:absent', 'z:absent');
  await other.command('SET', 'z:absent', '1');
  await other.command('DEL', 'z:absent');
  client.write('MULTI\r\nSET a:w 1\r\nSET z:w 1\r\nEXEC\r\n');
  expect((await client.many(4)).map(plain)[3]).toBe(null);
  await client.command('WATCH', 'a:absent', 'z:absent');
  client.write('MULTI\r\nSET a:w 1\r\nSET z:w 1\r\nMGET a:w z:w\r\nEXEC\r\n');
  expect((await client.many(5)).map(plain)[4]).toEqual(['OK', 'OK', ['1', '1']]);
  client.close();
  other.close();
}, 30_000);
