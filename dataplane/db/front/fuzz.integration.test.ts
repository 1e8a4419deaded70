import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../resp/frame.ts';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

let database: LocalDatabase;
/** Somebody who does nothing wrong, on the same server all the time. */
let bystander: RawClient;

beforeAll(async () => {
  database = await startLocalDatabase({ starts: ['', 'm'] });
  bystander = await rawClient(database.port);
  await bystander.command('SET', 'mine', 'unharmed');
});

afterAll(async () => {
  bystander.close();
  await database.stop();
});

const MiB = 1024 * 1024;

const expectUnharmed = async (): Promise<void> => {
  expect(plain(await bystander.command('GET', 'mine'))).toBe('unharmed');
};

/** Sends bytes and says that no more come; answers all replies up to the end of the connection. */
const talk = async (pieces: readonly Buffer[]): Promise<unknown[]> => {
  const client = await rawClient(database.port);
  for (const piece of pieces) {
    client.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.socket.end();
  const replies: unknown[] = [];
  for (let reply = await client.next(); reply !== undefined; reply = await client.next()) replies.push(plain(reply));
  client.close();
  return replies;
};

describe('a pipeline that is cut', () => {
  const pipeline = Buffer.concat([
    encodeCommand(['SET', 'a', Buffer.from([0, 13, 10, 42, 36, 255])]),
    Buffer.from('ECHO inline\r\n'),
    encodeCommand(['STRLEN', 'a']),
    encodeCommand(['MSET', 'a', '', 'z', '*1\r\n$4\r\nPING\r\n']),
    encodeCommand(['MGET', 'a', 'z']),
    Buffer.from('*0\r\n\r\n'),
    encodeCommand(['MULTI']),
    encodeCommand(['GET', 'z']),
    encodeCommand(['EXEC']),
    encodeCommand(['FLY', 'away']),
    encodeCommand(['PING']),
  ]);

  test('at any byte is answered as if it were whole', async () => {
    const whole = await talk([pipeline]);
    expect(whole.at(-1)).toBe('PONG');
    expect(whole).toHaveLength(10);
    for (let at = 1; at < pipeline.length; at++) {
      expect(await talk([pipeline.subarray(0, at), pipeline.subarray(at)]), `cut at byte ${at}`).toEqual(whole);
    }
    expect(await talk([...pipeline].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test('and ends there is answered up to its last whole command, and that is all', async () => {
    const whole = await talk([pipeline]);
    for (let at = 0; at < pipeline.length; at += 3) {
      const part = await talk([pipeline.subarray(0, at)]);
      expect(part, `ends at byte ${at}`).toEqual(whole.slice(0, part.length));
    }
    await expectUnharmed();
  });
});

/** Lengths at and beyond every bound, and what is none. */
const numbers = ['0', '1', '2', '3', '-1', '-2', '1048576', '1048577', '2147483647', '4294967296', '9'.repeat(20)];
const noNumbers = ['', '00', '+1', ' 1', '1 ', '0x1', '1e3', 'NaN', '\0', '\xb9'];
const lengths = fc.constantFrom(...numbers, ...noNumbers);
const words = ['GET', 'SET', 'ECHO', 'MGET', 'EXEC', 'HSET', 'QRANGE', 'SUBSCRIBE', 'HELLO', 'a', 'z', '', '3'];
const command = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 })
  .map((parts) => encodeCommand(parts).toString('latin1'));
const header = fc.tuple(fc.constantFrom('*', '$', ':', '+', '-', '%', '~', '>', '_', '#'), lengths);
const malformed = fc.oneof(
  { weight: 3, arbitrary: command },
  { weight: 3, arbitrary: header.map(([type, length]) => `${type}${length}\r\n`) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2_000 }).map((depth) => '*1\r\n'.repeat(depth)) },
  { weight: 1, arbitrary: fc.constantFrom('\r\n', '\n', '\r', '"', "'", '"\\x', '$4\r\nPING') },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
);

test('whatever is sent is answered in RESP or the connection ends, and others are not harmed', async () => {
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.array(malformed, { minLength: 1, maxLength: 8 }), cuts, async (parts, at) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      const places = [0, ...at.toSorted((a, b) => a - b), bytes.length];
      // Resolves only when every byte of the replies was RESP and the connection has ended.
      await talk(places.slice(1).map((end, i) => bytes.subarray(places[i], end)));
      await expectUnharmed();
    }),
    { numRuns: 400 },
  );
}, 120_000);

test.each([
  ['*1048577\r\n', /^-ERR Protocol error: invalid multibulk length/],
  ['*99999999999999999999\r\n', /^-ERR Protocol error: invalid multibulk length/],
  ['*2\r\n$3\r\nGET\r\n$536870913\r\n', /^-ERR Protocol error: invalid bulk length/],
  ['*1\r\n'.repeat(100_000), /^-ERR Protocol error: expected '\$', got '\*'/],
])('%j is answered at once and the connection is closed', async (bytes, error) => {
  const replies = await talk([Buffer.from(bytes)]);
  expect(replies).toEqual([expect.stringMatching(error)]);
});

test('what is announced takes no memory before it comes', async () => {
  const before = process.memoryUsage.rss();
  const clients = await Promise.all(Array.from({ length: 200 }, () => rawClient(database.port)));
  for (const client of clients) client.write('*1048576\r\n$4\r\nMGET\r\n$1048576\r\nstart');
  await expectUnharmed();
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MiB);
  for (const client of clients) client.close();
});

test('10,000 idle connections cost the server less than 30 KB each, and all of them work', async () => {
  const count = 10_000;
  const script = join(import.meta.dirname, '..', 'testing', 'idle-clients.ts');
  const before = process.memoryUsage.rss();
  const clients = spawn(process.execPath, [script, String(database.port), String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = async (): Promise<string> => String(((await once(clients.stdout, 'data')) as [Buffer])[0]).trim();
  expect(await said()).toBe('open');
  expect((process.memoryUsage.rss() - before) / count).toBeLessThan(30 * 1024);
  await expectUnharmed();
  clients.stdin.write('\n');
  expect(await said()).toBe(String(count));
  await once(clients, 'exit');
  await expectUnharmed();
}, 120_000);
