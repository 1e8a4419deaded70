import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commandCases, wordsOf } from '../testing/command-cases.ts';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

let database: LocalDatabase;
let raw: RawClient;

beforeAll(async () => {
  // One moment for everybody: times to live are exact.
  database = await startLocalDatabase({ now: () => 1_700_000_000_000 });
});

afterAll(async () => {
  await database.stop();
});

beforeEach(async () => {
  raw?.close();
  raw = await rawClient(database.port);
  await raw.command('FLUSHALL');
});

const asNumbers = (value: unknown): unknown => {
  if (value instanceof Error) return `-${value.message}`;
  if (typeof value === 'bigint') return String(value);
  return Array.isArray(value) ? value.map(asNumbers) : value;
};

test.each(commandCases)('$name', async ({ exchanges }) => {
  for (const [command, reply] of exchanges) {
    expect([command, asNumbers(plain(await raw.command(...wordsOf(command))))]).toEqual([command, reply]);
  }
});

test.each(commandCases)('pipelined: $name', async ({ exchanges }) => {
  for (const [command] of exchanges) raw.write(`${command}\r\n`);
  const replies = await raw.many(exchanges.length);
  expect(replies.map((reply) => asNumbers(plain(reply)))).toEqual(exchanges.map(([, reply]) => reply));
});

describe('ioredis', () => {
  const large = 'counters have 64 bits and do not overflow';
  test.each(commandCases.filter(({ name }) => name !== large))('$name', async ({ exchanges }) => {
    const client = new Redis({ port: database.port, host: '127.0.0.1', enableAutoPipelining: false });
    try {
      for (const [command, reply] of exchanges) {
        const [name = '', ...args] = wordsOf(command);
        const answer = await client.call(name, args).catch((error: Error) => `-${error.message}`);
        expect([command, asNumbers(answer)]).toEqual([command, reply]);
      }
    } finally {
      client.disconnect();
    }
  });

  test('multi, pipeline, scanStream and get with binary values', async () => {
    const client = new Redis({ port: database.port, host: '127.0.0.1' });
    try {
      expect(await client.multi().set('a', '1').incr('a').exec()).toEqual([
        [null, 'OK'],
        [null, 2],
      ]);
      expect(await client.pipeline().set('b', '1').get('b').exec()).toEqual([
        [null, 'OK'],
        [null, '1'],
      ]);
      const binary = Buffer.from([0, 255, 13, 10, 128]);
      await client.set(binary, binary);
      expect(await client.getBuffer(binary)).toEqual(binary);
      const keys: string[] = [];
      for await (const step of client.scanStream({ count: 1 })) keys.push(...(step as string[]));
      expect(keys).toHaveLength(3);
    } finally {
      client.disconnect();
    }
  });
});

describe.each([2, 3] as const)('node-redis with RESP%i', (RESP) => {
  test('its everyday calls', async () => {
    const client = createClient({ url: `redis://app:any@127.0.0.1:${database.port}`, RESP });
    client.on('error', () => {});
    await client.connect();
    try {
      expect(await client.set('a', '1', { EX: 100 })).toBe('OK');
      expect(await client.get('a')).toBe('1');
      expect(await client.get('missing')).toBeNull();
      expect(await client.ttl('a')).toBe(100);
      expect(await client.mGet(['a', 'missing'])).toEqual(['1', null]);
      expect(await client.multi().incr('a').get('a').exec()).toEqual([2, '2']);
      expect(await client.configGet('save')).toEqual({ save: '' });
      await client.watch('a');
      await client.sendCommand(['SET', 'a', '5']);
      await expect(client.multi().incr('a').exec()).rejects.toThrow(/watched/i);
      const keys: string[] = [];
      for await (const found of client.scanIterator()) keys.push(...found);
      expect(keys).toEqual(['a']);
    } finally {
      client.destroy();
    }
  });
});

test('HELLO 3 changes the protocol of the connection, RESET changes it back', async () => {
  const reply = plain(await raw.command('HELLO', '3', 'AUTH', 'app', 'x', 'SETNAME', 'me')) as Record<string, unknown>;
  expect(reply).toMatchObject({ server: 'redis', proto: 3, role: 'master' });
  expect(plain(await raw.command('CLIENT', 'GETNAME'))).toBe('me');
  raw.write('GET missing\r\n');
  expect(await raw.next()).toBeNull();
  expect(plain(await raw.command('RESET'))).toBe('RESET');
  expect(plain(await raw.command('HELLO', '4'))).toBe('-NOPROTO unsupported protocol version');
  expect(plain(await raw.command('HELLO', '3', 'AUTH', 'nobody', 'x'))).toMatch(/^-WRONGPASS/);
});

test('QUIT answers, then closes', async () => {
  raw.write('PING\r\nQUIT\r\nPING\r\n');
  expect((await raw.many(3)).map(plain)).toEqual(['PONG', 'OK', undefined]);
});
