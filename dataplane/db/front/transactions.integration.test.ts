import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeCommand } from '../resp/frame.ts';
import { startLocalDatabase, type LocalDatabase } from '../testing/local-database.ts';
import { plain, rawClient } from '../testing/raw-client.ts';

let database: LocalDatabase;
beforeAll(async () => {
  database = await startLocalDatabase({ starts: ['', 'm'] });
});
afterAll(() => database?.stop());

const all = (...lines: readonly string[]): Buffer => Buffer.concat(lines.map((line) => encodeCommand(line.split(' '))));

test.each([
  ['in one shard', ['MULTI', 'SET a 1', 'INCR a', 'EXEC'], '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:2\r\n'],
  ['over shards', ['MULTI', 'SET a 1', 'SET z 1', 'EXEC'], '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n'],
  ['that fails', ['MULTI', 'NO', 'EXEC'], /^\+OK\r\n-ERR unknown command.*\r\n-EXECABORT .*\r\n$/],
  ['before something else', ['MULTI', 'SET a 1', 'EXEC', 'PING'], '+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n+PONG\r\n'],
])('a transaction %s that is sent as a whole is answered as a whole', async (_, lines, answer) => {
  const socket = connect(database.port, '127.0.0.1');
  socket.write(all(...lines));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  if (answer instanceof RegExp) expect(String(chunk)).toMatch(answer);
  else expect(String(chunk)).toBe(answer);
});

test('transactions in a row, and others between them: each reply in its place', async () => {
  const client = await rawClient(database.port);
  const rounds = 200;
  for (let i = 0; i < rounds; i++) client.write(all('MULTI', `SET b ${i}`, 'GET b', 'EXEC', `SET c ${i}`, 'GET c'));
  for (let i = 0; i < rounds; i++) {
    const replies = (await client.many(6)).map((reply) => plain(reply));
    expect(replies).toEqual(['OK', 'QUEUED', 'QUEUED', ['OK', `${i}`], 'OK', `${i}`]);
  }
  client.close();
});

test('a client that waits for each QUEUED gets it before it sends EXEC', async () => {
  const client = await rawClient(database.port);
  for (const [line, reply] of [
    ['MULTI', 'OK'],
    ['SET d 1', 'QUEUED'],
    ['EXEC', ['OK']],
  ] as const)
    expect(plain(await client.command(...line.split(' ')))).toEqual(reply);
  client.close();
});
