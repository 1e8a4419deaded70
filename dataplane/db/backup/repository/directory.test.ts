import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { BackupError } from '../backup-error.ts';
import { repositoryContract } from '../testing/repository-contract.ts';
import { DirectoryRepository } from './directory.ts';
import { openRepository } from './open.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-repository-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;
const next = (): string => join(dir, `r${count++}`);
const message = (error: unknown): string =>
  error instanceof BackupError ? `${error.code}: ${error.message}` : String(error);

repositoryContract(async () => new DirectoryRepository(next()));

test('removing the last file takes empty folders away, and never the root or what is above it', async () => {
  for (const slash of ['', '/', '//', '/.']) {
    const outer = next();
    const root = join(outer, 'root');
    const repository = new DirectoryRepository(root + slash);
    await repository.write('a/b/1', Buffer.from('x'));
    await repository.remove('a/b/1');
    expect(existsSync(root)).toBe(true);
    expect(readdirSync(root)).toEqual([]);
  }
});

test('a folder that holds something else stays', async () => {
  const root = next();
  const repository = new DirectoryRepository(root);
  await repository.write('a/b/1', Buffer.from('x'));
  writeFileSync(join(root, 'a', 'mine'), 'x');
  await repository.remove('a/b/1');
  expect(existsSync(join(root, 'a', 'mine'))).toBe(true);
  expect(existsSync(join(root, 'a', 'b'))).toBe(false);
});

test('a file that is half written is no file of the repository', async () => {
  const root = next();
  mkdirSync(root);
  writeFileSync(join(root, 'a.zst.123.unfinished'), 'half');
  expect(await new DirectoryRepository(root).list('')).toEqual([]);
});

test('a place that is a file is an error that names it', async () => {
  const root = next();
  writeFileSync(root, 'x');
  expect(await new DirectoryRepository(root).write('a', Buffer.from('x')).catch(message)).toMatch(
    /^storage: .*cannot be written/,
  );
});

// Not even root may write there.
test('a place that must not be written to is an error that names it', async () => {
  expect(await new DirectoryRepository('/proc').write('a', Buffer.from('x')).catch(message)).toMatch(
    /^storage: \/proc\/a cannot be written: E/,
  );
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)(
  'a disk that is full is an error that says so; the file is as before, and nothing is left',
  async () => {
    const root = next();
    mkdirSync(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'quartet-backup-test', root]);
    try {
      const repository = new DirectoryRepository(root);
      await repository.write('a', Buffer.from('before'));
      expect(await repository.write('a', Buffer.alloc(4_000_000, 1)).catch(message)).toMatch(/^storage: .*ENOSPC/);
      expect((await repository.read('a', 100))?.toString()).toBe('before');
      expect(readdirSync(root)).toEqual(['a']);
    } finally {
      execFileSync('umount', ['-l', root]);
    }
  },
);

test.each([
  ['', undefined],
  ['ftp://host/x', undefined],
  ['/some/dir', 'http://127.0.0.1:1'],
  ['s3://', undefined],
  ['s3://UPPER/x', undefined],
  ['s3://bucket/a/../b', undefined],
  ['s3://bucket/a&b', undefined],
  ['s3://bucket/x', 'not a url'],
  ['s3://bucket/x', 'http://user:secret@host'],
])('the place %j with the endpoint %j is refused', (place, endpoint) => {
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  expect(() => openRepository(place, endpoint, env)).toThrow(BackupError);
});

test('without credentials the error names the variable', () => {
  expect(() => openRepository('s3://bucket', undefined, {})).toThrow(/AWS_ACCESS_KEY_ID is not set/);
});

test('no secret is in the name of a place', () => {
  const env = { AWS_ACCESS_KEY_ID: 'keyid', AWS_SECRET_ACCESS_KEY: 'verysecret' };
  expect(openRepository('s3://bucket//a//b/', 'http://127.0.0.1:1/', env).name).toBe('s3://bucket/a/b');
});
