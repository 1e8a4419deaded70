import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { handedNote } from '../split/hand-over.ts';
import { intakeNote } from '../split/intake-note.ts';
import { encodeRange, firstRange, rangeNote, straysNote } from '../store/key-range.ts';
import { backUp, isWorthContinuing, type BackUpOptions } from './backup.ts';
import { BackupError } from './backup-error.ts';
import type { Manifest } from './manifest.ts';
import { filesOf, listBackups } from './manifest.ts';
import { DirectoryRepository } from './repository/directory.ts';
import type { Repository } from './repository/repository.ts';
import { checkBackup } from './restore/check.ts';
import { chooseBackup } from './restore/choose.ts';
import { prepare } from './restore/prepare.ts';
import { ListedSource } from './testing/listed-source.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-backup-'));
let source: ListedSource;
let repository: DirectoryRepository;
let count = 0;

beforeEach(async () => {
  const own = join(dir, String(count++));
  source = new ListedSource(own, ['m']);
  repository = new DirectoryRepository(join(own, 'backups'));
});
afterEach(() => source.close());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const signal = new AbortController().signal;
const optionsWith = (more: Partial<BackUpOptions> = {}): BackUpOptions => ({
  source,
  database: 'app',
  repository,
  signal,
  tell: () => {},
  keep: null,
  renewAfterMs: null,
  ...more,
});
const message = (error: unknown): string =>
  error instanceof BackupError ? `${error.code}: ${error.message}` : String(error);
const attempt = (more: Partial<BackUpOptions> = {}): Promise<string> =>
  backUp(optionsWith(more)).then(() => 'done', message);

/** Keys that a backup holds at its end, and their number in each shard. */
const restoredKeys = async (): Promise<string[][]> => {
  const backup = await chooseBackup(repository, { database: null, at: null });
  const prepared = await prepare({ backup, at: null, workDir: join(dir, 'work'), signal, tell: () => {} });
  const keys = prepared.shards.map(({ store }) => [...store.rows(store.own({}))].map(({ key }) => key));
  await prepared.remove();
  return keys;
};

test('a backup holds the snapshot and what came after it, and is gone on with', async () => {
  await source.begin((writer, { entry }) => writer.put(`${entry.start}in the snapshot`, Buffer.from('1'), 0));
  const [first, second] = source.listed;
  first?.log.add('a');
  expect((await backUp(optionsWith())).continued).toBe(false);
  second?.log.add('n');
  const again = await backUp(optionsWith());
  expect(again.continued).toBe(true);
  expect(await restoredKeys()).toEqual([
    ['a', 'in the snapshot'],
    ['min the snapshot', 'n'],
  ]);
  expect(await checkBackup(again.backup, null, signal)).toMatchObject({ keys: 2, entries: 2 });
});

test('when the log was trimmed or made anew, or the shards are others, a new backup is made', async () => {
  await source.begin(() => {});
  await backUp(optionsWith());
  const [first] = source.listed;
  if (!first) throw new Error('no shard');
  for (let i = 0; i < 5; i++) first.log.add(`a${i}`);
  first.log.trimmedTo = 3;
  // Its members are at the end of what was trimmed; the next snapshot of this test is not.
  expect(await attempt()).toMatch(/^changed: .*trimmed/);
  expect((await listBackups(repository)).length).toBe(1);
  first.log.trimmedTo = 0;
  expect((await backUp(optionsWith())).continued).toBe(true);
});

test('of backups as many as asked for stay, the newest', async () => {
  await source.begin(() => {});
  const folders: string[] = [];
  for (let i = 0; i < 3; i++) {
    // A manifest that cannot be read is no reason not to back up: a new backup is made.
    const newest = (await listBackups(repository)).at(-1);
    if (newest) await repository.write(`${newest}/manifest.json`, Buffer.from('{}'));
    const { removed } = await backUp(optionsWith({ keep: 2 }));
    folders.push(...(await listBackups(repository)));
    expect(removed.length).toBe(i < 2 ? 0 : 1);
  }
  expect((await listBackups(repository)).length).toBe(2);
});

test('what can be restored is told from the oldest backup that stays', async () => {
  await source.begin(() => {});
  const first = await backUp(optionsWith());
  expect(first.from).toBe(first.backup.manifest.from);
  const second = await backUp(optionsWith({ renewAfterMs: 0 }));
  expect(second.continued).toBe(false);
  expect(second.from).toBe(first.backup.manifest.from);
  const third = await backUp(optionsWith({ renewAfterMs: 0, keep: 1 }));
  expect(third.removed.length).toBe(2);
  expect(third.from).toBe(third.backup.manifest.from);
});

test('what a killed run left goes after a day; a run that is at work, and finished backups, stay', async () => {
  await source.begin(() => {});
  await backUp(optionsWith());
  const stale = 'test/app/20200101T000000Z-aaaaaa';
  const running = 'test/app/20200102T000000Z-bbbbbb';
  const young = `test/app/${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}-cccccc`;
  const others = ['test/other/20200101T000000Z-dddddd', 'test/app/notes'];
  for (const folder of [stale, running, young, ...others]) {
    await repository.write(`${folder}/app-0/snapshot-000000.zst`, Buffer.from('x'));
  }
  await repository.write(`${running}/running`, Buffer.from(new Date().toISOString()));
  await repository.write(`${stale}/running`, Buffer.from('2020-01-01T10:00:00.000Z'));
  const { left, backup } = await backUp(optionsWith());
  expect(left).toEqual([stale]);
  const folders = new Set((await repository.list('')).map((path) => path.split('/').slice(0, 3).join('/')));
  expect([...folders].sort()).toEqual([running, young, ...others, `test/app/${backup.manifest.id}`].sort());
});

test('a finished backup holds no mark that it is being made', async () => {
  await source.begin(() => {});
  const { backup } = await backUp(optionsWith());
  expect((await backup.files.list('')).filter((path) => path.endsWith('running'))).toEqual([]);
});

test('when one shard fails the backup fails with its reason, and leaves nothing', async () => {
  await source.begin((writer) => writer.put('k', Buffer.alloc(1_000), 0));
  const failing: Repository = {
    name: repository.name,
    write: (path, bytes) =>
      path.includes('app-1/snapshot')
        ? Promise.reject(new BackupError('storage', 'no space left'))
        : repository.write(path, bytes),
    read: (path, max) => repository.read(path, max),
    list: (folder) => repository.list(folder),
    remove: (path) => repository.remove(path),
    removeAll: (folder) => repository.removeAll(folder),
  };
  expect(await attempt({ repository: failing })).toBe('storage: no space left');
  expect(await repository.list('')).toEqual([]);
});

test('a member that dies while it gives its snapshot is no end: the next one is asked, a bounded number of times', async () => {
  await source.begin((writer, { entry }) => writer.put(`${entry.start}k`, Buffer.alloc(1_000), 0));
  let deaths = 0;
  const dying = (times: number): Partial<BackUpOptions> => ({
    source: {
      namespace: source.namespace,
      shards: () => source.shards(),
      logOf: (name) => source.logOf(name),
      wall: () => source.wall(),
      async snapshot(shard) {
        const found = await source.snapshot(shard);
        if (shard.name === 'app-0' || deaths >= times) return found;
        deaths++;
        return { ...found, chunks: brokenOff(found.chunks) };
      },
    },
  });
  expect(await attempt(dying(9))).toMatch(/^unreachable: a snapshot of shard app-1 broke off/);
  expect(deaths).toBe(4);
  expect(await repository.list('')).toEqual([]);
  deaths = 0;
  source.listed[0]?.log.add('a');
  source.listed[1]?.log.add('n');
  expect(await attempt(dying(2))).toBe('done');
  expect(await restoredKeys()).toEqual([
    ['a', 'k'],
    ['mk', 'n'],
  ]);
  // nothing of what broke off is left in the backup
  const backup = await chooseBackup(repository, { database: null, at: null });
  const known = filesOf(backup.manifest).map(({ path }) => path);
  expect(await backup.files.list('')).toEqual([...known, 'manifest.json'].sort());
});

async function* brokenOff(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk.subarray(0, 10);
    throw new BackupError('unreachable', 'a snapshot of shard app-1 broke off: the member is gone');
  }
}

test.each([handedNote, intakeNote])('a shard that is being split (note %j) is not backed up', async (name) => {
  await source.begin((writer) => writer.note(name, Buffer.from('{}')));
  expect(await attempt()).toMatch(/^changed: shard app-\d is being split: try again when it is done/);
  expect(await repository.list('')).toEqual([]);
});

test('a shard whose log says another range than the directory is not backed up', async () => {
  await source.begin((writer) => writer.note(rangeNote, encodeRange(firstRange({ start: '', end: 'c' }))));
  expect(await attempt()).toMatch(/^changed: the range of shard app-\d is changing/);
});

test('rows that a split left behind are no part of a backup', async () => {
  await source.begin((writer) => {
    writer.note(straysNote, Buffer.alloc(0));
    writer.put('a', Buffer.from('1'), 0);
    writer.put('z', Buffer.from('1'), 0);
  });
  const { backup } = await backUp(optionsWith());
  expect(backup.manifest.shards.map(({ content }) => content.keys)).toEqual([1, 1]);
  expect(await restoredKeys()).toEqual([['a'], ['z']]);
});

test('a range that changes while the log is copied ends the backup; what was there before is as it was', async () => {
  await source.begin(() => {});
  const before = await backUp(optionsWith());
  const range = encodeRange({ ...firstRange({ start: '', end: 'c' }), epoch: 1 });
  source.listed[0]?.log.note(rangeNote, range);
  expect(await attempt()).toMatch(/^changed: /);
  const found = await chooseBackup(repository, { database: 'app', at: null });
  expect(found.manifest).toEqual(before.backup.manifest);
});

test('a backup that is stopped leaves nothing', async () => {
  await source.begin(() => {});
  expect(await attempt({ signal: AbortSignal.abort() })).toMatch(/^unreachable: stopped/);
  expect(await repository.list('')).toEqual([]);
});

test('preparing that fails removes what it made, and nothing else', async () => {
  await source.begin((writer) => writer.put('k', Buffer.alloc(1_000), 0));
  const { backup } = await backUp(optionsWith());
  const workDir = join(dir, 'precious');
  mkdirSync(workDir);
  writeFileSync(join(workDir, 'mine'), 'x');
  await backup.files.remove(backup.manifest.shards[1]?.snapshot[0]?.path ?? '');
  const failed = prepare({ backup, at: null, workDir, signal, tell: () => {} });
  expect(await failed.then(() => 'done', message)).toMatch(/^damaged: .* is missing/);
  expect(readdirSync(workDir)).toEqual(['mine']);
  expect(existsSync(join(workDir, 'mine'))).toBe(true);
});

test('a log is gone on with until it is longer than the database, if that is not small', () => {
  const file = (rawBytes: number) => ({ path: 'x', bytes: 1, sha256: '', rawBytes });
  const now = Date.parse('2026-11-24T12:00:00Z');
  const sized = (snapshot: number, log: number, { rounds = 1, renewAfterMs = null as number | null } = {}): boolean => {
    const parts = [{ first: 1, last: 1, file: file(log) }];
    const manifest = {
      began: '2026-11-24T10:00:00Z',
      shards: [{ snapshot: [file(snapshot)] }],
      rounds: Array.from({ length: rounds }, (_, i) => ({ shards: i === 0 ? { s: { parts } } : {} })),
    };
    return isWorthContinuing(manifest as unknown as Manifest, renewAfterMs, now);
  };
  expect(sized(10, 100e6)).toBe(true);
  expect(sized(10, 300e6)).toBe(false);
  expect(sized(400e6, 300e6)).toBe(true);
  // nor when it was gone on with too often, or is as old as a backup may be
  expect(sized(10, 10, { rounds: 2_000 })).toBe(false);
  expect(sized(10, 10, { renewAfterMs: 3 * 3_600_000 })).toBe(true);
  expect(sized(10, 10, { renewAfterMs: 2 * 3_600_000 })).toBe(false);
});
