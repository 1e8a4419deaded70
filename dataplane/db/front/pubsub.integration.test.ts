import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

let database: LocalDatabase;
const clients: RawClient[] = [];

beforeAll(async () => {
  database = await startLocalDatabase({ starts: ['', 'm'] });
});

afterAll(async () => {
  for (const client of clients) client.close();
  await database.stop();
});

const connect = async (): Promise<RawClient> => {
  const client = await rawClient(database.port);
  clients.push(client);
  return client;
};

const ask = async (client: RawClient, line: string): Promise<unknown> =>
  plain(await client.command(...line.split(' ')));
const hear = async (client: RawClient): Promise<unknown> => plain(await client.next());

test('what is published reaches subscribers of the channel and of patterns that match it, and nobody after they left', async () => {
  const [listener, speaker] = [await connect(), await connect()];
  expect(await ask(listener, 'SUBSCRIBE news sport')).toEqual(['subscribe', 'news', 1]);
  expect(await hear(listener)).toEqual(['subscribe', 'sport', 2]);
  expect(await ask(listener, 'PSUBSCRIBE n*')).toEqual(['psubscribe', 'n*', 3]);
  expect(await ask(speaker, 'PUBLISH news hello')).toBe(2);
  expect([await hear(listener), await hear(listener)].sort()).toEqual([
    ['message', 'news', 'hello'],
    ['pmessage', 'n*', 'news', 'hello'],
  ]);
  expect(await ask(listener, 'GET a')).toMatch(/^-ERR Can't execute 'get'/);
  expect(await ask(listener, 'PING')).toEqual(['pong', '']);
  expect(await ask(speaker, 'PUBSUB NUMSUB news other')).toEqual(['news', 1, 'other', 0]);
  expect(await ask(listener, 'UNSUBSCRIBE')).toEqual(['unsubscribe', 'news', 2]);
  expect(await hear(listener)).toEqual(['unsubscribe', 'sport', 1]);
  expect(await ask(listener, 'PUNSUBSCRIBE')).toEqual(['punsubscribe', 'n*', 0]);
  expect(await ask(speaker, 'PUBLISH news gone')).toBe(0);
  expect(await ask(listener, 'PING')).toBe('PONG');
});

test('QRANGE walks over shards in order, both ways, and stops at its limit; a sequence is that of one shard', async () => {
  const client = await connect();
  for (const key of ['a', 'c', 'x', 'z']) await ask(client, `SET ${key} ${key}1`);
  await ask(client, 'HSET h f v');
  const range = (...args: string[]): Promise<unknown> => client.command('QRANGE', ...args).then(plain);
  expect(await range('', '')).toEqual([
    ['a', 'a1'],
    ['c', 'c1'],
    ['h', null],
    ['x', 'x1'],
    ['z', 'z1'],
  ]);
  expect(await range('b', 'z', 'LIMIT', '3', 'REVERSE')).toEqual([
    ['x', 'x1'],
    ['h', null],
    ['c', 'c1'],
  ]);
  expect(await range('', '', 'AT', '1')).toMatch(/^-CROSSSHARD/);
  expect(await range('a', 'c', 'AT', '999')).toMatch(/^-ERR sequence 999 is not applied here yet/);
  expect(['a', 'c', 'h', 'x', 'z']).toContain(await ask(client, 'RANDOMKEY'));
  expect(await ask(client, 'XADD s * a 1')).toMatch(/^-ERR XADD is not served: there are no streams/);
  expect(await ask(client, 'SLOWLOG LEN')).toEqual(expect.any(Number));
});
