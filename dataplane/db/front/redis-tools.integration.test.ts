import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { requireRedis } from '../testing/redis-server.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-redis-tools-'));
let cluster: DbCluster;

beforeAll(async () => {
  requireRedis('redis-cli');
  requireRedis('redis-benchmark');
  // The keys of redis-benchmark lie in both: key:… in the first, mylist, myset, myhash and myzset in the second.
  const shards = [
    { name: 'app-0', start: '', end: 'l' },
    { name: 'app-1', start: 'l', end: '' },
  ];
  cluster = await startDbCluster({ dir, members: 1, shards });
});

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What a tool prints, on either of its outputs. */
const run = (program: string, ...args: string[]): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    const all = ['-p', String(cluster.port), ...args];
    execFile(program, all, { timeout: 240_000 }, (failure, out, errors) => {
      resolve({ code: failure === null ? 0 : Number(failure.code ?? 1), output: `${out}${errors}` });
    });
  });

describe('redis-benchmark', () => {
  const suite = [
    'PING_INLINE',
    'PING_MBULK',
    'SET',
    'GET',
    'INCR',
    'LPUSH',
    'RPUSH',
    'LPOP',
    'RPOP',
    'SADD',
    'HSET',
    'SPOP',
    'ZADD',
    'ZPOPMIN',
    'LRANGE_100',
    'LRANGE_300',
    'LRANGE_500',
    'LRANGE_600',
    'MSET',
  ];

  test.each([[['-n', '2000']], [['-n', '2000', '-P', '16']], [['-n', '2000', '--threads', '2']]])(
    'its whole suite runs clean with %j',
    async (args) => {
      const { code, output } = await run('redis-benchmark', '-q', ...args);
      const done = [...output.matchAll(/^(?:.*\r)?([A-Z_0-9]+)[^\r\n]*: [\d.]+ requests per second/gm)];
      expect(done.map(([, name]) => name)).toEqual(expect.arrayContaining(suite));
      expect(output).not.toMatch(/error|warning/i);
      expect(code).toBe(0);
    },
    250_000,
  );
});

describe('redis-cli', () => {
  beforeAll(async () => {
    const client = new Redis({ port: cluster.port });
    await client.flushall();
    await client.set('big', 'x'.repeat(10_000));
    await client.set('small', '1');
    await client.hset('hash', { a: '1', b: '2', c: '3' });
    await client.rpush('queue', ...Array.from({ length: 50 }, String));
    await client.sadd('tags', 'a', 'b');
    await client.zadd('ranks', 1, 'a', 2, 'b');
    client.disconnect();
  });

  test('--bigkeys finds the biggest of each type over all shards', async () => {
    const { code, output } = await run('redis-cli', '--bigkeys');
    expect(code).toBe(0);
    expect(output).toMatch(/Biggest string found .*big.* has 10000 bytes/);
    expect(output).toMatch(/Biggest\s+list found .*queue.* has 50 items/);
    expect(output).toMatch(/Biggest\s+hash found .*hash.* has 3 fields/);
    expect(output).toMatch(/Sampled 6 keys/);
  });

  test('--memkeys tells which take most', async () => {
    const { code, output } = await run('redis-cli', '--memkeys');
    expect(code).toBe(0);
    expect(output).toMatch(/Biggest string found .*big.* has 10\d{3} bytes/);
    expect(output).toMatch(/Sampled 6 keys/);
  });

  test('--scan walks over all shards, with and without a pattern', async () => {
    expect((await run('redis-cli', '--scan')).output.trim().split('\n').toSorted()).toEqual([
      'big',
      'hash',
      'queue',
      'ranks',
      'small',
      'tags',
    ]);
    expect((await run('redis-cli', '--scan', '--pattern', '*a*s*')).output.trim().split('\n').toSorted()).toEqual([
      'hash',
      'ranks',
      'tags',
    ]);
  });

  test('INFO, LATENCY HISTOGRAM and RESP3 are shown', async () => {
    expect((await run('redis-cli', 'INFO', 'server')).output).toMatch(/redis_mode:standalone/);
    expect((await run('redis-cli', 'INFO', 'everything')).output).toMatch(/cmdstat_rpush:calls=\d+,/);
    expect((await run('redis-cli', '--raw', 'LATENCY', 'HISTOGRAM', 'rpush')).output).toMatch(/^rpush\ncalls\n\d+\n/);
    expect((await run('redis-cli', '-3', '--no-raw', 'HGETALL', 'hash')).output).toMatch(/\d# "a" => "1"/);
  });
});

test('ioredis: what its README shows', async () => {
  const redis = new Redis({ port: cluster.port });
  const subscriber = new Redis({ port: cluster.port });
  try {
    expect(await redis.set('mykey', 'value')).toBe('OK');
    expect(await redis.get('mykey')).toBe('value');
    expect(await redis.getBuffer('mykey')).toEqual(Buffer.from('value'));
    expect(await redis.zadd('sortedSet', 1, 'one', 2, 'dos', 4, 'quatro', 3, 'three')).toBe(4);
    expect(await redis.zrange('sortedSet', '0', '2', 'WITHSCORES')).toEqual(['one', '1', 'dos', '2', 'three', '3']);
    expect(await redis.set('mykey', 'hello', 'EX', 10)).toBe('OK');
    expect(await redis.hset('myhash', { field1: 'Hello', field2: 'World' })).toBe(2);
    expect(await redis.hgetall('myhash')).toEqual({ field1: 'Hello', field2: 'World' });
    const pipeline = redis.pipeline().set('foo', 'bar').get('foo').del('cc');
    expect(await pipeline.exec()).toEqual([
      [null, 'OK'],
      [null, 'bar'],
      [null, 0],
    ]);
    const transaction = redis.multi().set('foo', 'baz').get('foo');
    expect(await transaction.exec()).toEqual([
      [null, 'OK'],
      [null, 'baz'],
    ]);
    const heard = new Promise((resolve) => subscriber.once('message', (...message) => resolve(message)));
    await subscriber.subscribe('my-channel-1');
    await redis.publish('my-channel-1', 'hello');
    expect(await heard).toEqual(['my-channel-1', 'hello']);
    const scanned: string[] = [];
    for await (const keys of redis.scanStream({ match: 'my*' })) scanned.push(...(keys as string[]));
    expect(scanned).toEqual(expect.arrayContaining(['mykey', 'myhash']));
  } finally {
    redis.disconnect();
    subscriber.disconnect();
  }
});

test.each([2, 3] as const)('node-redis over RESP%i: what its README shows', async (RESP) => {
  const client = createClient({ RESP, socket: { port: cluster.port } });
  await client.connect();
  try {
    expect(await client.set('key', 'value', { expiration: { type: 'EX', value: 10 } })).toBe('OK');
    expect(await client.get('key')).toBe('value');
    await client.del('user-session:123');
    await client.hSet('user-session:123', { name: 'John', surname: 'Smith', company: 'Redis', age: 29 });
    expect({ ...(await client.hGetAll('user-session:123')) }).toEqual({
      name: 'John',
      surname: 'Smith',
      company: 'Redis',
      age: '29',
    });
    expect(await client.sendCommand(['SET', 'key', 'other'])).toBe('OK');
    expect(await client.multi().set('another-key', 'another-value').get('key').exec()).toEqual(['OK', 'other']);
    expect(await Promise.all([client.set('Tm9kZSBSZWRpcw==', 'users:1'), client.incr('n')])).toEqual([
      'OK',
      expect.any(Number),
    ]);
    const keys: string[] = [];
    for await (const batch of client.scanIterator({ MATCH: '*key*' })) keys.push(...batch);
    expect(keys.toSorted()).toEqual(expect.arrayContaining(['another-key', 'key']));
    const subscriber = client.duplicate();
    await subscriber.connect();
    const heard = Promise.withResolvers<string>();
    await subscriber.subscribe('channel', (message) => heard.resolve(message));
    await client.publish('channel', 'hi');
    expect(await heard.promise).toBe('hi');
    subscriber.destroy();
  } finally {
    client.destroy();
  }
});
