import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { BackupError } from './backup-error.ts';
import {
  backupFolder,
  decodeManifest,
  encodeManifest,
  listBackups,
  readBackup,
  removeBackup,
  writeManifest,
  type Manifest,
} from './manifest.ts';
import { DirectoryRepository } from './repository/directory.ts';
import { folderOf } from './repository/repository.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-manifest-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let repository: DirectoryRepository;
let count = 0;
beforeEach(() => {
  repository = new DirectoryRepository(join(dir, String(count++)));
});

const file = (path: string) => ({ path, bytes: 10, sha256: 'a'.repeat(64), rawBytes: 20 });
const position = (seq: number) => ({ seq, term: 1, log: '2026', chain: '00', time: 1_000 + seq });

const sample = (id = '20261124T210000Z-abc123'): Manifest => ({
  format: 1,
  id,
  namespace: 'default',
  database: 'app',
  began: '2026-11-24T21:00:00Z',
  from: 2_000,
  shards: [
    {
      name: 'app-0',
      start: '',
      end: '',
      epoch: 0,
      position: position(5),
      snapshot: [file('app-0/snapshot-000000.zst')],
      content: { hash: 'b'.repeat(64), keys: 3 },
      open: [],
      settled: 6,
      floor: 7,
    },
  ],
  rounds: [
    {
      through: 3_000,
      shards: {
        'app-0': { ceiling: 8, last: position(9), parts: [{ first: 6, last: 9, file: file('app-0/log-6.zst') }] },
      },
    },
  ],
});

const code = (error: unknown): string => (error instanceof BackupError ? error.code : String(error));
const decode = (bytes: Buffer): unknown => {
  try {
    return decodeManifest(bytes, 'it');
  } catch (error) {
    return code(error);
  }
};
/** With a right checksum. */
const sealed = (content: unknown): Buffer => {
  const sha256 = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return Buffer.from(JSON.stringify({ sha256, content }));
};

test('a manifest is read as it was written', () => {
  expect(decode(encodeManifest(sample()))).toEqual(sample());
});

test('a manifest that is cut short, or in which a bit is another, is damaged', () => {
  const whole = encodeManifest(sample());
  fc.assert(
    fc.property(fc.nat(whole.length - 3), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      expect(decode(whole.subarray(0, at))).toBe('damaged');
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      const found = decode(flipped);
      // White space between the parts says nothing.
      if (found !== 'damaged') expect(found).toEqual(sample());
    }),
  );
});

test('a manifest of a newer format says so', () => {
  expect(decode(sealed({ ...sample(), format: 2 }))).toBe('newer');
});

const shard = sample().shards[0];
const round = sample().rounds[0];

test.each([
  ['a path that leaves the backup', { ...sample(), shards: [{ ...shard, snapshot: [file('../../other')] }] }],
  ['a database that is a path', { ...sample(), database: '../up' }],
  ['an id that is a path', { ...sample(), id: '../20261124T210000Z-abc123' }],
  ['a shard that is a path', { ...sample(), shards: [{ ...shard, name: 'a/b' }] }],
  ['no shard', { ...sample(), shards: [] }],
  ['a round without a shard', { ...sample(), rounds: [{ ...round, shards: {} }] }],
  [
    'a log with a gap',
    {
      ...sample(),
      rounds: [
        {
          ...round,
          shards: { 'app-0': { ceiling: 8, last: position(9), parts: [{ first: 7, last: 9, file: file('x') }] } },
        },
      ],
    },
  ],
  [
    'an end that its parts do not have',
    { ...sample(), rounds: [round, { ...round, shards: { 'app-0': { ceiling: 10, last: position(10), parts: [] } } }] },
  ],
  ['a ceiling below the floor', { ...sample(), shards: [{ ...shard, floor: 9 }] }],
])('a manifest with %s is refused, though its checksum is right', (_what, content) => {
  expect(decode(sealed(content))).toBe('damaged');
});

test('backups are listed in order, and only finished ones', async () => {
  const ids = ['20261124T210000Z-bbbbbb', '20261123T210000Z-aaaaaa'];
  for (const id of ids) {
    const manifest = sample(id);
    await writeManifest({ manifest, files: folderOf(repository, backupFolder(manifest)) });
  }
  await repository.write('default/app/20261125T210000Z-cccccc/app-0/snapshot-000000.zst', Buffer.from('x'));
  await repository.write('something/else.json', Buffer.from('x'));
  expect(await listBackups(repository)).toEqual([`default/app/${ids[1]}`, `default/app/${ids[0]}`]);
});

test('a manifest that lies in the folder of another backup is not taken for it', async () => {
  const folder = 'default/app/20261124T230000Z-abcdef';
  await repository.write(`${folder}/manifest.json`, encodeManifest(sample()));
  expect(await readBackup(repository, folder).catch(code)).toBe('damaged');
});

test('a backup that is removed leaves nothing, and its neighbour as it was', async () => {
  const [gone, stays] = [sample('20261123T210000Z-aaaaaa'), sample('20261124T210000Z-bbbbbb')];
  for (const manifest of [gone, stays]) {
    const files = folderOf(repository, backupFolder(manifest));
    await files.write('app-0/snapshot-000000.zst', Buffer.from('x'));
    await writeManifest({ manifest, files });
  }
  await removeBackup(repository, backupFolder(gone));
  expect((await repository.list('')).every((path) => path.startsWith(backupFolder(stays)))).toBe(true);
  expect((await repository.list('')).length).toBe(2);
});
