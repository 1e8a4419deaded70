import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Position } from '../../replica/state-machine.ts';
import { encodeRange, everything, rangeNote } from '../store/key-range.ts';
import { BackupError } from './backup-error.ts';
import { LogRecorder } from './log-recorder.ts';
import { replay } from './replay.ts';
import { DirectoryRepository } from './repository/directory.ts';
import type { Repository } from './repository/repository.ts';
import { ListedLog } from './testing/listed-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-recorder-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;

const setUp = (files: Repository = new DirectoryRepository(join(dir, String(count++)))) => {
  const log = new ListedLog();
  const recorder = new LogRecorder({ shard: 'app-0', log, after: log.after, range: everything, files });
  return { log, recorder, files };
};

const code = (error: unknown): string => (error instanceof BackupError ? error.code : String(error));

const replayed = async (files: Repository, after: Position, recorder: LogRecorder): Promise<number[]> => {
  const seqs: number[] = [];
  for await (const { position } of replay(files, after, recorder.recorded.parts)) seqs.push(position.seq);
  return seqs;
};

test('what was recorded is replayed without a gap, however often it went on', async () => {
  const { log, recorder, files } = setUp();
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 4; j++) log.add(`k${i}-${j}`);
    await recorder.copyTo(await recorder.end());
  }
  expect(await replayed(files, log.after, recorder)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  expect(recorder.recorded.last.seq).toBe(21);
});

test('a log that is longer than a file lies in several', async () => {
  const { log, recorder, files } = setUp();
  for (let i = 0; i < 12; i++) log.add(`k${i}`, 1024 * 1024);
  await recorder.copyTo(await recorder.end());
  expect(recorder.recorded.parts.length).toBeGreaterThan(1);
  expect((await replayed(files, log.after, recorder)).length).toBe(12);
});

test('a write that failed leaves no hole: what it was about is written by the next', async () => {
  const place = new DirectoryRepository(join(dir, String(count++)));
  let broken = false;
  const flaky: Repository = {
    name: 'flaky',
    write: (path, bytes) =>
      broken ? Promise.reject(new BackupError('storage', 'no space')) : place.write(path, bytes),
    read: (path, max) => place.read(path, max),
    list: (folder) => place.list(folder),
    remove: (path) => place.remove(path),
    removeAll: (folder) => place.removeAll(folder),
  };
  const { log, recorder } = setUp(flaky);
  log.add('a');
  await recorder.copyTo(await recorder.end());
  log.add('b');
  broken = true;
  expect(await recorder.copyTo(await recorder.end()).catch(code)).toBe('storage');
  expect(recorder.recorded.last.seq).toBe(2);
  broken = false;
  log.add('c');
  await recorder.copyTo(await recorder.end());
  expect(await replayed(flaky, log.after, recorder)).toEqual([2, 3, 4]);
});

test('a log that was trimmed beyond what is recorded, or made anew, is not gone on with', async () => {
  const { log, recorder } = setUp();
  for (let i = 0; i < 9; i++) log.add(`k${i}`);
  log.trimmedTo = 4;
  expect(await recorder.end().catch(code)).toBe('changed');
  expect(await recorder.copyTo(8).catch(code)).toBe('changed');
  log.trimmedTo = 0;
  log.created = 'second';
  expect(await recorder.end().catch(code)).toBe('changed');
});

test('an entry that is not there yet is asked for again later', async () => {
  const { log, recorder } = setUp();
  log.add('a');
  expect(await recorder.copyTo(5).catch(code)).toBe('unreachable');
});

test('a shard whose range changes cannot be gone on with; one that notes the range it had can', async () => {
  const { log, recorder } = setUp();
  log.note(rangeNote, encodeRange(everything));
  await recorder.copyTo(await recorder.end());
  log.note(rangeNote, encodeRange({ ...everything, end: 'm', epoch: 1 }));
  expect(await recorder.copyTo(await recorder.end()).catch(code)).toBe('changed');
  expect(recorder.recorded.last.seq).toBe(2);
});

test('an entry that no replica could read is not backed up', async () => {
  const { log, recorder } = setUp();
  log.add('a');
  const damaged = Buffer.from(log.entries[1]?.bytes ?? []);
  damaged[damaged.length - 1] = 99;
  log.entries[1] = { seq: 2, bytes: damaged };
  expect(await recorder.copyTo(2).catch(code)).toBe('damaged');
});
