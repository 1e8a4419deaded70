import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BackupError } from '../backup-error.ts';
import { repositoryContract } from '../testing/repository-contract.ts';
import { startS3, type S3Server } from '../testing/s3-server.ts';
import { openRepository } from './open.ts';
import { S3Repository, type S3Place } from './s3.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-s3-'));
let server: S3Server;
let count = 0;

beforeAll(async () => {
  server = await startS3(dir);
}, 60_000);

afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

const open = (more: Partial<S3Place> = {}): S3Repository =>
  new S3Repository({
    bucket: server.bucket,
    prefix: `place-${count++}/below`,
    endpoint: server.endpoint,
    region: 'us-east-1',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    ...more,
  });

const message = (error: unknown): string =>
  error instanceof BackupError ? `${error.code}: ${error.message}` : String(error);

repositoryContract(async () => open());

test('more files than one answer lists are all listed', async () => {
  const repository = open({ prefix: 'many' });
  const paths = Array.from({ length: 1_100 }, (_, i) => `f/${String(i).padStart(5, '0')}`);
  for (let at = 0; at < paths.length; at += 50) {
    await Promise.all(paths.slice(at, at + 50).map((path) => repository.write(path, Buffer.from('x'))));
  }
  expect(await repository.list('f')).toEqual(paths);
}, 60_000);

test('a bucket without a prefix', async () => {
  const repository = openRepository(`s3://${server.bucket}`, server.endpoint, server.env);
  await repository.write('at/the/root', Buffer.from('x'));
  expect(await repository.list('at')).toEqual(['at/the/root']);
  await repository.remove('at/the/root');
});

test('wrong credentials are said to be that, and which variables to look at', async () => {
  const wrong = [open({ secretAccessKey: 'wrong' }), open({ accessKeyId: 'NOBODY' })];
  for (const repository of wrong) {
    for (const act of [
      () => repository.list(''),
      () => repository.read('a', 10),
      () => repository.write('a', Buffer.from('x')),
    ]) {
      expect(await act().then(() => 'done', message)).toMatch(/^storage: .*AWS_SECRET_ACCESS_KEY/);
    }
  }
});

test('a bucket that is missing is said to be that', async () => {
  const repository = open({ bucket: 'no-such-bucket' });
  for (const act of [
    () => repository.list(''),
    () => repository.read('a', 10),
    () => repository.write('a', Buffer.from('x')),
  ]) {
    expect(await act().then(() => 'done', message)).toMatch(
      /^storage: .*NoSuchBucket: there is no bucket no-such-bucket/,
    );
  }
});

test('an endpoint that is not there is unreachable, soon', async () => {
  const repository = open({ endpoint: 'http://127.0.0.1:2', attempts: 2 });
  expect(await repository.list('').then(() => 'done', message)).toMatch(/^unreachable: .*ECONNREFUSED/);
});

/** A server that does something with each connection, and no more. */
const serve = async (act: (socket: Socket) => void): Promise<{ endpoint: string; close: () => void }> => {
  const silent = createServer();
  silent.on('connection', act);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, close: () => silent.close() };
};

test('an endpoint that hangs has a deadline', async () => {
  const sockets = new Set<Socket>();
  const silent = await serve((socket) => void sockets.add(socket));
  const repository = open({ endpoint: silent.endpoint, timeoutMs: 200, attempts: 2 });
  const began = performance.now();
  expect(await repository.read('a', 10).then(() => 'done', message)).toMatch(/^unreachable: .*no answer in time/);
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test('an answer that breaks off is not taken for a file', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
  const cut = await serve((socket) => void socket.end(`${head}only this`));
  const repository = open({ endpoint: cut.endpoint, attempts: 2 });
  expect(await repository.read('a', 1_000).then(() => 'done', message)).toMatch(/^unreachable: /);
  cut.close();
});

test('a server that is busy for a moment is asked again', async () => {
  let asked = 0;
  const busy = await serve((socket) => {
    const answer =
      ++asked < 3
        ? 'HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    socket.once('data', () => socket.end(answer.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')));
  });
  const repository = open({ endpoint: busy.endpoint });
  expect((await repository.read('a', 1_000))?.toString()).toBe('ok');
  expect(asked).toBe(3);
  busy.close();
});
