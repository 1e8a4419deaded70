import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import type { CommittedEntry } from '../../replica/state-machine.ts';
import { readEntry } from '../feed/change.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { firstRange } from '../store/key-range.ts';
import { encodeStep, type Step } from '../two-phase/step.ts';
import { ListedShard } from '../testing/listed-shard.ts';
import { sourceOf } from '../testing/listed-source.ts';
import type { MergeFrom } from './next-work.ts';
import { RangeReporter } from './range-report.ts';
import { SplitSource } from './source.ts';
import { sweep } from './sweep.ts';
import { SplitWorker, type Phase } from './worker.ts';

let dir: string;
let lower: ListedShard;
let upper: ListedShard;
let mergeFrom: MergeFrom | null;
let reporter: RangeReporter;
let worker: SplitWorker;
/** The clock of both, milliseconds. */
let now: number;

const newWorker = (wish: () => MergeFrom | null = () => mergeFrom): SplitWorker =>
  new SplitWorker({
    shard: 'lower',
    replica: lower.replica,
    executor: lower.executor,
    store: lower.store,
    reporter,
    splitFrom: () => null,
    mergeFrom: wish,
    source: () => sourceOf(upper),
    log: pino({ level: 'silent' }),
    pieceBytes: 1,
  });

beforeEach(async () => {
  now = 1_000_000;
  dir = mkdtempSync(join(tmpdir(), 'quartet-merge-'));
  lower = new ListedShard(join(dir, 'lower'), firstRange({ start: '', end: 'm' }), () => now);
  upper = new ListedShard(join(dir, 'upper'), firstRange({ start: 'm', end: '' }), () => now);
  mergeFrom = { shard: 'upper', emptied: false };
  reporter = new RangeReporter(lower.store, () => {});
  worker = newWorker();
  await lower.text('GET a');
  await upper.text('GET z');
});

afterEach(async () => {
  await lower.close();
  await upper.close();
  rmSync(dir, { recursive: true, force: true });
});

const emptied = (): boolean => upper.store.keyRange?.start === upper.store.keyRange?.end;

const turns = async (enough: () => boolean): Promise<void> => {
  for (let i = 0; !enough(); i++) {
    expect(i, `turns: ${reporter.report?.intake?.problem}`).toBeLessThan(100);
    await worker.turn();
    if (mergeFrom) mergeFrom = { ...mergeFrom, emptied: emptied() };
    reporter.look();
  }
};

const until = (phase: Phase): Promise<void> => turns(() => worker.phase === phase);

const merge = (): Promise<void> => until('none');

const sweepAll = async (): Promise<void> => {
  for (const { executor, store } of [lower, upper]) while (await sweep(executor, store));
};

const step = (shard: ListedShard, of: Step): ReturnType<ListedShard['request']> =>
  shard.request({ kind: requestKind.step, payload: encodeStep(of) });

const prepare = (shard: ListedShard, id: string, command: string): ReturnType<ListedShard['request']> => {
  const transaction = encodeTransaction([], [encodeCommand(command.split(' '))]);
  const roles = { anchor: 'lower', participants: ['lower', 'upper'] };
  return step(shard, { name: 'prepare', id, roles, transaction });
};

const versionOf = async (shard: ListedShard, key: string): Promise<number> => {
  const { bytes } = await shard.ask(['QVERSIONS', key]);
  const [version] = (decodeReply(bytes)?.reply ?? []) as readonly number[];
  return version ?? Number.NaN;
};

const exec = async (shard: ListedShard, watched: { key: string; version: number }): Promise<string> => {
  const payload = encodeTransaction([watched], [encodeCommand(['SET', watched.key, 'changed'])]);
  const { bytes } = await shard.request({ kind: requestKind.transaction, payload });
  return bytes.toString().trim().replaceAll('\r\n', ' ');
};

test('the lower shard serves all keys afterwards, whoever leads it, and the upper one none', async () => {
  await lower.text('MSET a 1 l 2');
  await upper.text('MSET m 3 z 4');
  await merge();
  for (const again of [false, true]) {
    if (again) {
      lower.failOver();
      await upper.restart();
    }
    expect(await lower.text('MGET a l m z')).toBe('*4 $1 1 $1 2 $1 3 $1 4');
    expect(await upper.text('GET z')).toBe('MOVED');
    expect(await upper.text('DBSIZE')).toBe('MOVED');
    expect(await lower.text('DBSIZE')).toBe(':4');
  }
  await sweepAll();
  expect([...lower.store.notes.keys()]).toEqual(['range']);
  expect([...upper.store.notes.keys()]).toEqual(['range']);
  expect([...upper.store.rows({})]).toEqual([]);
  expect([...lower.store.rows({})]).toHaveLength(4);
  expect(lower.store.keyRange).toMatchObject({ start: '', end: '', epoch: 2 });
  expect(upper.store.keyRange).toMatchObject({ start: 'm', end: 'm', epoch: 2 });
});

test('how far it is is told with the range that is served meanwhile', async () => {
  const told: unknown[] = [];
  reporter.look();
  await turns(() => {
    const { start, end, epoch, intake } = reporter.report ?? {};
    const state = `${start}..${end} ${epoch} ${intake?.merge ? 'merge' : 'no merge'} ${intake?.phase}`;
    if (told.at(-1) !== state) told.push(state);
    return worker.phase === 'none';
  });
  expect(told).toEqual([
    '..m 0 no merge undefined',
    '..m 1 merge snapshot',
    '..m 1 merge log',
    '.. 2 merge open',
    '.. 2 no merge undefined',
  ]);
  reporter.look();
  expect(reporter.report).toEqual({ start: '', end: '', epoch: 2 });
});

test('until it has opened the lower shard serves its own keys, all the time, and no others', async () => {
  await lower.text('MSET a 1 b 2');
  await upper.text('MSET m 3 z 4');
  for (const phase of ['snapshot', 'log'] as const) {
    await until(phase);
    expect(await lower.text('INCR a')).toMatch(/^:/);
    expect(await lower.text('GET z')).toBe('MOVED');
    expect(await upper.text('INCR z')).toMatch(/^:/);
    expect(await lower.text('DBSIZE')).toBe(':2');
    expect(await lower.text('KEYS *')).toBe('*2 $1 a $1 b');
    expect(await lower.text('QSCAN - 10 * ')).toBe('*2 $1 - *2 $1 a $1 b');
    expect(await lower.text('QRANGE  ')).toBe(
      '*2 *2 $1 a $1 3'.replace('3', phase === 'log' ? '3' : '2') + ' *2 $1 b $1 2',
    );
    for (let i = 0; i < 10; i++) expect('ab').toContain((await lower.text('RANDOMKEY')).at(-1));
  }
  await merge();
  expect(await lower.text('MGET a z')).toBe('*2 $1 3 $1 6');
});

test('collections of both keep their elements, whatever numbers they have, and new ones meet none of them', async () => {
  for (const [shard, key] of [
    [lower, 'a'],
    [upper, 'z'],
  ] as const) {
    await shard.text(`HSET ${key}:hash field ${key}`);
    await shard.text(`RPUSH ${key}:list 1 2`);
    await shard.text(`HSET ${key}:gone field 1`);
  }
  await until('log');
  await lower.text('HSET b:new field b');
  await upper.text('HSET y:new field y');
  await upper.text('HSET z:hash other 2');
  await upper.text('RENAME z:list x:list');
  await upper.text('DEL z:gone');
  await lower.text('DEL a:gone');
  await merge();
  await lower.text('HSET y:late field late');
  for (const restarted of [false, true]) {
    if (restarted) await lower.restart();
    expect(await lower.text('HGETALL a:hash')).toBe('*2 $5 field $1 a');
    expect(await lower.text('HGETALL z:hash')).toBe('*4 $5 field $1 z $5 other $1 2');
    expect(await lower.text('HGETALL b:new')).toBe('*2 $5 field $1 b');
    expect(await lower.text('HGETALL y:new')).toBe('*2 $5 field $1 y');
    expect(await lower.text('HGETALL y:late')).toBe('*2 $5 field $4 late');
    expect(await lower.text('LRANGE x:list 0 -1')).toBe('*2 $1 1 $1 2');
    expect(await lower.text('EXISTS z:list z:gone a:gone')).toBe(':0');
  }
});

test('a primary that follows in the midst goes on with the numbers of the one before', async () => {
  for (let i = 0; i < 5; i++) await upper.text(`HSET z${i} field ${i}`);
  await until('log');
  await upper.text('HSET z0 other 0');
  await lower.restart();
  worker = newWorker();
  // It gives numbers to collections of its own: those that were copied are taken.
  for (let i = 0; i < 5; i++) await lower.text(`HSET a${i} mine ${i}`);
  await merge();
  for (let i = 1; i < 5; i++) expect(await lower.text(`HGETALL z${i}`)).toBe(`*2 $5 field $1 ${i}`);
  expect(await lower.text('HGETALL z0')).toBe('*4 $5 field $1 0 $5 other $1 0');
  for (let i = 0; i < 5; i++) expect(await lower.text(`HGETALL a${i}`)).toBe(`*2 $4 mine $1 ${i}`);
});

test('what is copied does not expire there: the upper shard may yet make it stay', async () => {
  const soon = now + 1_000;
  await lower.text(`SET a 1 PXAT ${soon}`);
  await upper.text(`SET z 1 PXAT ${soon}`);
  await until('log');
  await upper.text('PERSIST z');
  await lower.store.flush();
  now = soon + 1;
  lower.executor.expire();
  await lower.executor.inOrder(() => {});
  expect(lower.store.get('a')).toBeUndefined();
  expect(lower.store.get('z')).toBeDefined();
  await merge();
  expect(await lower.text('GET z')).toBe('$1 1');
  expect(await lower.text('TTL z')).toBe(':-1');
});

test('nobody removes all keys of a shard that takes some over; the upper shard may, and then the copy begins again', async () => {
  await lower.text('SET a 1');
  await upper.text('MSET y 1 z 1');
  await until('log');
  expect(await lower.text('FLUSHALL')).toBe('MOVED');
  expect(await upper.text('FLUSHALL')).toBe('+OK');
  await upper.text('SET x 1');
  await merge();
  expect(await lower.text('KEYS *')).toBe('*2 $1 a $1 x');
  expect(await lower.text('FLUSHALL')).toBe('+OK');
  expect(await lower.text('DBSIZE')).toBe(':0');
});

test('it does not begin while a transaction over several shards is about to remove all keys', async () => {
  await lower.text('SET a 1');
  await upper.text('SET z 1');
  await prepare(lower, 'flush', 'FLUSHALL');
  await worker.turn();
  expect(reporter.report?.intake).toMatchObject({ phase: 'waiting', merge: true, problem: /about to remove all/ });
  await step(lower, { name: 'commit', id: 'flush' });
  await merge();
  expect(await lower.text('KEYS *')).toBe('*1 $1 z');
});

test('the hand-over waits for transactions that hold keys of the upper shard, and those of the lower one go on', async () => {
  await upper.text('SET z 1');
  await prepare(upper, 'held', 'INCR z');
  await prepare(lower, 'own', 'SET a 1');
  await until('log');
  await worker.turn();
  expect(reporter.report?.intake?.problem).toMatch(/transaction/);
  expect(await upper.text('GET y')).toBe('$-1');
  await step(upper, { name: 'apply', id: 'held' });
  await merge();
  expect(await lower.text('GET z')).toBe('$1 2');
  await step(lower, { name: 'commit', id: 'own' });
  expect(await lower.text('GET a')).toBe('$1 1');
});

test('what was watched before counts as changed, also if it did not exist, and no version comes twice', async () => {
  const keys = Array.from({ length: 12 }, (_, i) => `z${i}`);
  for (const key of keys) await upper.text(`SET ${key} old`);
  for (let i = 0; i < 30; i++) await lower.text(`SET a ${i}`);
  for (let i = 0; i < 20; i++) {
    await upper.text('SET x 1');
    await upper.text('DEL x');
  }
  const before = await Promise.all([...keys, 'y'].map(async (key) => ({ key, version: await versionOf(upper, key) })));
  await merge();
  for (const each of before) expect(await exec(lower, each), each.key).toBe('*-1');
  for (const { key } of before) expect(await exec(lower, { key, version: await versionOf(lower, key) })).toBe('*1 +OK');
});

test('who watches changes of the lower shard hears of what clients do, and of nothing that is copied', async () => {
  await lower.text('HSET a f 1');
  await upper.text('HSET z f 1');
  await until('log');
  await lower.text('SET b 1');
  await merge();
  await lower.text('SET y 1');
  await sweepAll();
  const shown = (entries: readonly CommittedEntry[]): string[] =>
    entries.flatMap((entry) => readEntry(entry, '').changes).map(({ kind, key }) => `${kind} ${key}`);
  expect(shown(lower.entries)).toEqual(['put a', 'put b', 'put y']);
  expect(shown(upper.entries)).toEqual(['put z']);
});

test.each([
  ['', true],
  ['z', true],
  ['m', true],
  ['ma', true],
  ['a', false],
  ['lz', false],
])(
  'who watches keys with prefix "%s" is told that the log does not hold what the upper shard changed: %s',
  async (prefix, gained) => {
    await upper.text('SET z 1');
    await merge();
    const told = lower.entries.filter((entry) => readEntry(entry, prefix).gained);
    expect(told).toHaveLength(gained ? 1 : 0);
  },
);

test('what an interrupted copy left is removed before another one begins', async () => {
  await upper.text('MSET x 1 y 1');
  await upper.text('HSET z f 1');
  await until('log');
  await upper.text('DEL y');
  await upper.text('HSET z g 2');
  upper.trim();
  await turns(() => worker.phase === 'snapshot');
  await merge();
  expect(await lower.text('KEYS *')).toBe('*2 $1 x $1 z');
  expect(await lower.text('HMGET z f g')).toBe('*2 $1 1 $1 2');
});

test('a merge is taken back before the hand-over: what was copied goes, and a late request is refused', async () => {
  await lower.text('SET a 1');
  await upper.text('HSET z f 1');
  await until('log');
  const late = { at: 'm', to: 'lower', epoch: 2, since: 0 };
  mergeFrom = null;
  await merge();
  await expect(new SplitSource(upper).handOver(late)).rejects.toThrow(/has changed/);
  await sweepAll();
  expect([...lower.store.rows({})].map(({ key }) => key)).toEqual(['a']);
  expect([...lower.store.notes.keys()]).toEqual(['range']);
  expect(await upper.text('HGETALL z')).toBe('*2 $1 f $1 1');
  expect(await lower.text('FLUSHALL')).toBe('+OK');
  mergeFrom = { shard: 'upper', emptied: false };
  await merge();
  expect(await lower.text('HGETALL z')).toBe('*2 $1 f $1 1');
});

test('a merge that is taken back in the midst of the copy leaves the rest', async () => {
  for (let i = 10; i < 60; i++) await upper.text(`SET z${i} 1`);
  const copied = (): number => [...lower.store.rows({})].length;
  worker = newWorker(() => (copied() < 5 ? mergeFrom : null));
  await until('snapshot');
  await worker.turn();
  expect(copied()).toBe(5);
  mergeFrom = null;
  await merge();
  await sweepAll();
  expect(copied()).toBe(0);
  expect(await upper.text('DBSIZE')).toBe(':50');
});

test('after the hand-over there is only forward, also if nobody wants the merge any more', async () => {
  await upper.text('SET z 1');
  await until('log');
  await new SplitSource(upper).handOver({ at: 'm', to: 'lower', epoch: 2, since: 0 });
  mergeFrom = null;
  await merge();
  expect(await lower.text('GET z')).toBe('$1 1');
  expect(await upper.text('GET z')).toBe('MOVED');
});

test('until the lower shard is open the upper one keeps its keys', async () => {
  await upper.text('SET z 1');
  await until('log');
  await new SplitSource(upper).handOver({ at: 'm', to: 'lower', epoch: 2, since: 0 });
  upper.trim();
  expect(await sweep(upper.executor, upper.store)).toBe(false);
  await lower.restart();
  worker = newWorker();
  await merge();
  expect(await lower.text('GET z')).toBe('$1 1');
});

test('only neighbours are merged, and what is in the way is told', async () => {
  const other = new ListedShard(join(dir, 'other'), firstRange({ start: 'n', end: '' }));
  await other.text('GET z');
  await upper.close();
  upper = other;
  await worker.turn();
  expect(reporter.report?.intake).toMatchObject({ problem: /only neighbours can be merged/ });
  await new SplitSource(lower).handOver({ at: 'g', to: 'half', epoch: 1 });
  await worker.turn();
  expect(reporter.report?.intake).toMatchObject({ problem: /being split: keys are on their way to half/ });
});

test('the upper shard tells of transactions that it may be asked about, as long as there are any', async () => {
  const upperReport = new RangeReporter(upper.store, () => {});
  await prepare(upper, 'held', 'SET z 1');
  expect(upperReport.report?.transactions).toBeUndefined();
  await step(upper, { name: 'commit', id: 'held' });
  await merge();
  upperReport.look();
  expect(upperReport.report).toEqual({ start: 'm', end: 'm', epoch: 2, transactions: 1 });
  await step(upper, { name: 'forget', id: 'held' });
  expect(upperReport.report?.transactions).toBe(0);
});
