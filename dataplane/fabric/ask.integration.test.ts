import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startNats, type Nats } from '../../local/nats-server.ts';
import { ask, type Reply } from './ask.ts';
import { connectNats } from './nats-connection.ts';

let dir: string;
let server: Nats;
let nats: NatsConnection;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-ask-'));
  server = await startNats({ dir });
  nats = await connectNats({ url: server.url }, 'ask');
});
afterAll(async () => {
  await nats?.close();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Says to each request what it said, and which header it had. */
const echo = (subject: string): void =>
  void nats.subscribe(subject, {
    callback: (_error, message) => void message.respond(`${message.string()} ${message.headers?.get('x') ?? ''}`),
  });

const textOf = (reply: Reply): string => (reply.kind === 'answer' ? reply.message.string() : reply.kind);

test('each of a thousand requests at once gets its own answer', async () => {
  echo('echo');
  const hdrs = headers();
  hdrs.set('x', 'y');
  const asked = Array.from({ length: 1_000 }, (_, i) => ask(nats, 'echo', `${i}`, { timeoutMs: 5_000, headers: hdrs }));
  expect((await Promise.all(asked)).map(textOf)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i} y`));
});

test('an empty answer is an answer', async () => {
  nats.subscribe('empty', { callback: (_error, message) => void message.respond() });
  expect(textOf(await ask(nats, 'empty', '', { timeoutMs: 5_000 }))).toBe('');
});

test('nobody listens: said at once', async () => {
  expect(await ask(nats, 'nobody', '', { timeoutMs: 60_000 })).toEqual({ kind: 'nobody' });
});

test('no answer in time: silent; one that comes later is for nobody', async () => {
  const late: (() => void)[] = [];
  nats.subscribe('slow', { callback: (_error, message) => void late.push(() => message.respond('late')) });
  expect(await ask(nats, 'slow', '', { timeoutMs: 50 })).toEqual({ kind: 'silent', why: 'no answer within 50 ms' });
  echo('echo-2');
  for (const respond of late) respond();
  expect(textOf(await ask(nats, 'echo-2', 'next', { timeoutMs: 5_000 }))).toBe('next ');
});

test('what NATS does not take is silent, with the reason', async () => {
  const large = new Uint8Array(65 * 1024 * 1024);
  expect(await ask(nats, 'echo', large, { timeoutMs: 5_000 })).toMatchObject({ kind: 'silent' });
});

test('the connection is closed under a request: silent, at once; and for those after it', async () => {
  const other = await connectNats({ url: server.url }, 'ask-closed');
  nats.subscribe('hole', { callback: () => {} });
  const waits = ask(other, 'hole', '', { timeoutMs: 60_000 });
  await other.close();
  expect(await waits).toEqual({ kind: 'silent', why: 'the connection to NATS is closed' });
  expect(await ask(other, 'hole', '', { timeoutMs: 60_000 })).toMatchObject({ kind: 'silent' });
});
