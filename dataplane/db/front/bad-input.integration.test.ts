import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { maxKeyBytes, maxValueBytes } from '../limits.ts';
import { encodeCommand } from '../resp/frame.ts';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { plain, rawClient } from '../testing/raw-client.ts';

let database: LocalDatabase;

beforeAll(async () => {
  database = await startLocalDatabase({ stuckLimitMs: 3_000 });
});

afterAll(async () => {
  await database.stop();
});

const MiB = 1024 * 1024;

/** The server still answers somebody else. */
const expectAlive = async (): Promise<void> => {
  const client = await rawClient(database.port);
  expect(plain(await client.command('PING'))).toBe('PONG');
  client.close();
};

test.each([
  ['*1\r\n:1\r\n', "-ERR Protocol error: expected '$', got ':'"],
  ['*x\r\n', '-ERR Protocol error: invalid multibulk length'],
  ['*2\r\n$3\r\nGET\r\n$-5\r\n', '-ERR Protocol error: invalid bulk length'],
  ['*1\r\n*1\r\n$4\r\nPING\r\n', "-ERR Protocol error: expected '$', got '*'"],
  ['"open\r\n', '-ERR Protocol error: unbalanced quotes in request'],
  ['a'.repeat(70_000), '-ERR Protocol error: too big inline request'],
])('%j is answered with a protocol error and the connection is closed', async (bytes, error) => {
  const client = await rawClient(database.port);
  client.write(`PING\r\n${bytes}`);
  expect((await client.many(3)).map(plain)).toEqual(['PONG', error, undefined]);
  await expectAlive();
});

test('an HTTP request is cut off at its first line', async () => {
  const client = await rawClient(database.port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\n\r\nSET smuggled 1\r\n');
  expect(plain(await client.next())).toMatch(/^-ERR unknown command 'POST'/);
  expect(await client.next()).toBeUndefined();
  const other = await rawClient(database.port);
  expect(plain(await other.command('EXISTS', 'smuggled'))).toBe(0);
  other.close();
});

describe('limits', () => {
  test('a key, a value or a command that is too long is refused and the connection goes on', async () => {
    const client = await rawClient(database.port);
    const key = 'k'.repeat(maxKeyBytes);
    expect(plain(await client.command('SET', key, '1'))).toBe('OK');
    expect(plain(await client.command('SET', `${key}k`, '1'))).toBe(
      '-ERR a key of 1025 bytes exceeds the limit of 1024 bytes',
    );
    expect(plain(await client.command('WATCH', `${key}k`))).toMatch(/^-ERR a key/);
    const value = Buffer.alloc(maxValueBytes, 'v');
    expect(plain(await client.command('SET', 'large', value))).toBe('OK');
    expect(plain(await client.command('STRLEN', 'large'))).toBe(maxValueBytes);
    expect(plain(await client.command('APPEND', 'large', 'x'))).toBe(
      '-ERR the value would exceed the limit of 1048576 bytes',
    );
    expect(plain(await client.command('SET', 'larger', Buffer.concat([value, value])))).toMatch(
      /^-ERR an argument of 2097152 bytes exceeds/,
    );
    expect(
      plain(await client.command('MSET', ...Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? `m${i}` : value)))),
    ).toMatch(/^-ERR the command exceeds/);
    expect(plain(await client.command('PING'))).toBe('PONG');
    client.close();
  });

  test('10,000 keys at once are set, read and removed', async () => {
    const client = await rawClient(database.port);
    const keys = Array.from({ length: 10_000 }, (_, i) => `many:${i}`);
    expect(plain(await client.command('MSET', ...keys.flatMap((key) => [key, 'v'])))).toBe('OK');
    expect(plain(await client.command('EXISTS', ...keys))).toBe(10_000);
    expect(await client.command('MGET', ...keys)).toHaveLength(10_000);
    expect(plain(await client.command('DEL', ...keys))).toBe(10_000);
    client.close();
  });

  test('a reply that would be too large is an error', async () => {
    const client = await rawClient(database.port);
    await client.command('SET', 'mib', Buffer.alloc(MiB));
    expect(plain(await client.command('MGET', ...Array.from({ length: 40 }, () => 'mib')))).toBe(
      '-ERR the reply exceeds the limit of 16777216 bytes',
    );
    client.close();
  });

  test('a transaction without end is refused', async () => {
    const client = await rawClient(database.port);
    await client.command('MULTI');
    client.write('SET a b\r\n'.repeat(10_001));
    const replies = (await client.many(10_001)).map(plain);
    expect(replies.at(-1)).toMatch(/^-ERR a transaction has at most/);
    expect(plain(await client.command('EXEC'))).toMatch(/^-EXECABORT/);
    client.close();
  });
});

test('100,000 pipelined commands are all answered, in order', async () => {
  const client = await rawClient(database.port);
  const count = 100_000;
  client.write(Buffer.concat(Array.from({ length: count }, (_, i) => encodeCommand(['ECHO', String(i)]))));
  const replies = (await client.many(count)).map(plain);
  expect(replies).toEqual(Array.from({ length: count }, (_, i) => String(i)));
  client.close();
});

test('pipelined writes and reads of one connection see each other in order', async () => {
  const client = await rawClient(database.port);
  client.write(
    Buffer.concat(
      Array.from({ length: 5_000 }, () => [encodeCommand(['INCR', 'n']), encodeCommand(['GET', 'n'])]).flat(),
    ),
  );
  const replies = (await client.many(10_000)).map(plain);
  expect(replies).toEqual(Array.from({ length: 5_000 }, (_, i) => [i + 1, String(i + 1)]).flat());
  client.close();
});

test('a half-closed client gets its replies before the connection ends', async () => {
  const client = await rawClient(database.port);
  client.socket.end('SET half closed\r\nGET half\r\nDBSIZE\r\n');
  const [set, get, size, end] = (await client.many(4)).map(plain);
  expect([set, get, end]).toEqual(['OK', 'closed', undefined]);
  expect(size).toBeGreaterThan(0);
  await until({ what: 'the connection to be forgotten', timeoutMs: 5_000 }, async () =>
    database.frontEnd.connections === 0 ? true : undefined,
  );
});

test('a client that goes away in the middle of everything harms nobody', async () => {
  for (const bytes of ['*3\r\n$3\r\nSET\r\n$1\r\n', 'MULTI\r\nSET a 1\r\n', 'WATCH a\r\n', 'GET a\r\n'.repeat(1_000)]) {
    const client = await rawClient(database.port);
    client.write(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.resetAndDestroy();
  }
  await expectAlive();
});

test('a client that never reads is cut off, and memory stays bounded', async () => {
  const client = await rawClient(database.port);
  await client.command('SET', 'mib', Buffer.alloc(MiB));
  client.close();
  const deaf = connect({ port: database.port, host: '127.0.0.1' });
  deaf.on('error', () => {});
  deaf.pause();
  const before = process.memoryUsage.rss();
  deaf.write('GET mib\r\n'.repeat(10_000));
  await until({ what: 'the server to cut it off', timeoutMs: 30_000 }, async () =>
    database.frontEnd.connections === 0 ? true : undefined,
  );
  expect(process.memoryUsage.rss() - before).toBeLessThan(300 * MiB);
  deaf.destroy();
  await expectAlive();
});

describe('several shards', () => {
  let spread: LocalDatabase;
  beforeAll(async () => {
    spread = await startLocalDatabase({ starts: ['', 'm'] });
  });
  afterAll(async () => {
    await spread.stop();
  });

  test('reads and removals go to all of them, transactions span them, and what cannot is refused', async () => {
    const client = await rawClient(spread.port);
    const ask = async (line: string): Promise<unknown> => plain(await client.command(...line.split(' ')));
    expect(await ask('SET a 1')).toBe('OK');
    expect(await ask('SET z 2')).toBe('OK');
    expect(await ask('MGET z a q')).toEqual(['2', '1', null]);
    expect(await ask('EXISTS a z q')).toBe(2);
    expect(await ask('DBSIZE')).toBe(2);
    expect(await ask('KEYS *')).toEqual(['a', 'z']);
    expect(await ask('MSET a 1 z 2')).toBe('OK');
    expect(await ask('MULTI')).toBe('OK');
    expect(await ask('SET a 3')).toBe('QUEUED');
    expect(await ask('SET z 3')).toBe('QUEUED');
    expect(await ask('EXEC')).toEqual(['OK', 'OK']);
    expect(await ask('MGET a z')).toEqual(['3', '3']);
    expect(await ask('WATCH a z')).toBe('OK');
    expect(await ask('SET z 4')).toBe('OK');
    expect(await ask('MULTI')).toBe('OK');
    expect(await ask('SET a 9')).toBe('QUEUED');
    expect(await ask('EXEC')).toBeNull();
    expect(await ask('MGET a z')).toEqual(['3', '4']);
    expect(await ask('SMOVE a z x')).toMatch(/^-CROSSSHARD/);
    expect(await ask('DEL a z')).toBe(2);
    client.close();
  });

  test('SCAN walks over all shards and finds every key once', async () => {
    const client = await rawClient(spread.port);
    const keys = Array.from({ length: 300 }, (_, i) => `${i % 2 === 0 ? 'a' : 'x'}${i}`);
    for (const key of keys) client.write(encodeCommand(['SET', key, '1']));
    await client.many(keys.length);
    const found: string[] = [];
    let cursor = '0';
    do {
      const [next, step] = plain(await client.command('SCAN', cursor, 'COUNT', '17')) as [string, string[]];
      found.push(...step);
      cursor = next;
    } while (cursor !== '0');
    expect(found.sort()).toEqual(keys.sort());
    client.close();
  });
});

test('keys in a gap, an overlap or a conflict are refused with the reason; others are served', async () => {
  const odd = await startLocalDatabase({
    starts: ['', 'd', 'm', 't'],
    entries: ([a, b, c, d]) => [
      a!,
      { ...b!, end: 'k' },
      { ...c!, conflict: 'it overlaps app-9' },
      { ...d!, start: 's' },
    ],
  });
  const client = await rawClient(odd.port);
  expect(plain(await client.command('SET', 'a', '1'))).toBe('OK');
  expect(plain(await client.command('SET', 'l', '1'))).toBe('-CLUSTERDOWN no shard of the database covers this key');
  expect(plain(await client.command('SET', 'n', '1'))).toBe(
    '-CLUSTERDOWN the range of shard app-2 is in conflict: it overlaps app-9',
  );
  expect(plain(await client.command('SET', 'sx', '1'))).toBe(
    '-CLUSTERDOWN the ranges of shards app-2 and app-3 overlap at this key; it is not served',
  );
  client.close();
  await odd.stop();
});
