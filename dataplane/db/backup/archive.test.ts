import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { fileRecord, loadFile, loading, storeFile, storing, type FileRecord } from './archive.ts';
import { BackupError } from './backup-error.ts';
import { decodePart, encodePart } from './log-part.ts';
import { DirectoryRepository } from './repository/directory.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-archive-'));
const repository = new DirectoryRepository(dir);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const bytes = fc.uint8Array({ maxLength: 5_000 }).map((array) => Buffer.from(array));

const code = (error: unknown): string => (error instanceof BackupError ? error.code : String(error));

test('a file holds what was stored', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, async (raw) => {
      const record = await storeFile(repository, 'a/file.zst', raw);
      expect(fileRecord.parse(record)).toEqual(record);
      expect(await loadFile(repository, record)).toEqual(raw);
    }),
    { numRuns: 50 },
  );
});

test('a file that was changed, cut short, made longer or removed is damaged, and nothing of it is answered', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(), fc.constantFrom('flip', 'cut', 'grow', 'remove'), async (raw, where, how) => {
      const record = await storeFile(repository, 'a/file.zst', raw);
      const stored = (await repository.read(record.path, 1e6)) ?? Buffer.alloc(0);
      const at = where % stored.length;
      if (how === 'remove') await repository.remove(record.path);
      else {
        const flipped = Buffer.from(stored);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        const changed =
          how === 'flip' ? flipped : how === 'cut' ? stored.subarray(0, at) : Buffer.concat([stored, Buffer.of(0)]);
        await repository.write(record.path, changed);
      }
      expect(await loadFile(repository, record).catch(code)).toBe('damaged');
    }),
    { numRuns: 100 },
  );
});

test('a file that would be larger than its record says is not unpacked', async () => {
  const record = await storeFile(repository, 'a/bomb.zst', Buffer.alloc(10_000_000));
  expect(await loadFile(repository, { ...record, rawBytes: 1_000 }).catch(code)).toBe('damaged');
});

test.each(['../evil', '/etc/passwd', 'a/../../b', 'a//b', '.hidden', 'a/.b', '', 'a\\b', 'a b', 'a\0b'])(
  'a manifest may not name the path %j',
  (path) => {
    expect(fileRecord.safeParse({ path, bytes: 1, sha256: '0'.repeat(64), rawBytes: 1 }).success).toBe(false);
  },
);

test('a stream is cut into files and comes back whole, however its chunks lie', async () => {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 50; i++) yield Buffer.alloc(1024 * 1024, i);
  }
  const files: FileRecord[] = [];
  let passed = 0;
  for await (const chunk of storing(chunks(), { repository, path: (index) => `s/part-${index}.zst`, files }))
    passed += chunk.length;
  expect(passed).toBe(50 * 1024 * 1024);
  expect(files.length).toBe(4);
  const back: Uint8Array[] = [];
  for await (const chunk of loading(repository, files)) back.push(chunk);
  const whole = Buffer.concat(back);
  for (let i = 0; i < 50; i++) expect(whole[i * 1024 * 1024 + 7]).toBe(i);
});

const entries = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 20 });

test('a part of a log holds its entries with their sequences', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 1e9 }), (all, first) => {
      const stored = all.map((each, i) => ({ seq: first + i, bytes: Buffer.from(each) }));
      expect([...decodePart(encodePart(stored), first)]).toEqual(stored);
    }),
  );
});

test('a part of a log that is cut anywhere but between entries is damaged', () => {
  fc.assert(
    fc.property(entries, fc.nat(), (all, where) => {
      const whole = encodePart(all.map((each, i) => ({ seq: i + 1, bytes: each })));
      const bounds = new Set([0]);
      let at = 0;
      for (const each of all) bounds.add((at += 4 + each.length));
      const cut = where % whole.length;
      const read = (): unknown => [...decodePart(whole.subarray(0, cut), 1)];
      if (bounds.has(cut)) expect(read).not.toThrow();
      else expect(read).toThrow(BackupError);
    }),
  );
});
