import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { everything } from '../store/key-range.ts';
import { ListedShard } from '../testing/listed-shard.ts';
import { sourceOf } from '../testing/listed-source.ts';
import { RangeReporter, type SplitFrom } from './range-report.ts';
import { SplitWorker } from './worker.ts';

let dir: string;
let left: ListedShard;
let right: ListedShard;
let splitFrom: SplitFrom | null;
let reporter: RangeReporter;
let worker: SplitWorker;
/** How often a source was asked for. */
let sources: number;
let objection: string | null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-split-'));
  left = new ListedShard(join(dir, 'left'), everything);
  right = new ListedShard(join(dir, 'right'), null);
  splitFrom = { shard: 'left', at: 'm' };
  sources = 0;
  objection = null;
  reporter = new RangeReporter(right.store, () => {});
  worker = new SplitWorker({
    shard: 'right',
    replica: right.replica,
    executor: right.executor,
    store: right.store,
    reporter,
    splitFrom: () => splitFrom,
    source: () => {
      sources += 1;
      return sourceOf(left);
    },
    objection: () => objection,
    log: pino({ level: 'silent' }),
  });
});

afterEach(async () => {
  await left.close();
  await right.close();
  rmSync(dir, { recursive: true, force: true });
});

const turns = async (enough: () => boolean): Promise<void> => {
  for (let i = 0; !enough(); i++) {
    expect(i, 'turns').toBeLessThan(100);
    await worker.turn();
    reporter.look();
  }
};

test('what the directory wants is done, step by step, and told', async () => {
  await left.text('MSET a 1 z 1');
  expect(worker.phase).toBe('waiting');
  const phases = new Set<string | undefined>();
  await turns(() => {
    phases.add(reporter.report?.intake?.phase);
    return worker.phase === 'none';
  });
  expect([...phases]).toEqual([undefined, 'snapshot', 'log', 'open']);
  expect(await right.text('GET z')).toBe('$1 1');
  expect(await left.text('GET z')).toBe('MOVED');
  expect(await worker.turn()).toBeGreaterThan(0);
});

test('a key in the middle is chosen when none is named', async () => {
  splitFrom = { shard: 'left', at: null };
  await left.text('MSET a 1 b 1 c 1 d 1');
  await turns(() => worker.phase === 'none');
  expect(right.store.keyRange).toMatchObject({ start: 'c', end: '', epoch: 1 });
  expect(left.store.keyRange).toMatchObject({ start: '', end: 'c', epoch: 1 });
});

test('a member that does not lead does nothing, and tells that the shard waits', async () => {
  right.replica.stepDown();
  expect(await worker.turn()).toBeGreaterThan(0);
  reporter.look();
  expect(reporter.report?.intake).toEqual({ from: 'left', phase: 'waiting' });
  expect(right.store.notes.size).toBe(0);
});

test('another term begins with another source', async () => {
  await left.text('SET z 1');
  await turns(() => worker.phase === 'log');
  expect(sources).toBe(1);
  right.failOver();
  await turns(() => worker.phase === 'none');
  expect(sources).toBe(2);
  expect(await right.text('GET z')).toBe('$1 1');
});

test('what is in the way is told until it is gone', async () => {
  await left.text('SET z 1');
  left.replica.stepDown();
  expect(await worker.turn()).toBeGreaterThan(0);
  expect(reporter.report?.intake?.problem).toMatch(/does not lead/);
  left.replica.promote();
  await worker.turn();
  expect(reporter.report?.intake?.problem).toBeUndefined();
});

test('keys are not asked for while members are missing, and the log is followed meanwhile', async () => {
  await left.text('SET z 1');
  objection = 'only 1 of 3 members follow';
  for (let i = 0; i < 10; i++) await worker.turn();
  expect(worker.phase).toBe('log');
  expect(reporter.report?.intake?.problem).toBe(objection);
  await left.text('SET z 2');
  expect(left.store.keyRange?.epoch).toBe(0);
  objection = null;
  await turns(() => worker.phase === 'none');
  expect(await right.text('GET z')).toBe('$1 2');
});

test('what cannot be is refused with advice: no key inside of the range, no two keys, a shard with keys of its own', async () => {
  await left.text('SET a 1');
  splitFrom = { shard: 'left', at: null };
  await worker.turn();
  expect(reporter.report?.intake?.problem).toMatch(/name the key/);
  splitFrom = { shard: 'left', at: '' };
  await worker.turn();
  expect(reporter.report?.intake?.problem).toMatch(/inside of the range/);
  splitFrom = { shard: 'left', at: 'm' };
  await turns(() => worker.phase === 'none');
  expect(reporter.report?.intake).toBeUndefined();
});

test.each([
  ['begins again and gets what is left', 'g', undefined],
  ['is told when nothing is left', 'p', /choose another/],
])('of two shards that want keys of the same one the later one %s', async (_, at, problem) => {
  await left.text('MSET a 1 h 1 z 1');
  await worker.turn();
  const other = new ListedShard(join(dir, 'other'), null);
  const report = new RangeReporter(other.store, () => {});
  const second = new SplitWorker({
    shard: 'other',
    replica: other.replica,
    executor: other.executor,
    store: other.store,
    reporter: report,
    splitFrom: () => ({ shard: 'left', at }),
    source: () => sourceOf(left),
    log: pino({ level: 'silent' }),
  });
  await second.turn();
  await turns(() => worker.phase === 'none');
  for (let i = 0; i < 20; i++) await second.turn();
  report.look();
  if (problem) expect(report.report?.intake?.problem).toMatch(problem);
  else expect(report.report).toEqual({ start: 'g', end: 'm', epoch: 2 });
  if (!problem) expect(await other.text('GET h')).toBe('$1 1');
  expect(await right.text('GET z')).toBe('$1 1');
  expect(await left.text('GET a')).toBe('$1 1');
  await other.close();
});
