import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CommittedEntry } from '../../replica/state-machine.ts';
import { answerStatus } from '../batch/answer-batch.ts';
import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import { readEntry } from '../feed/change.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { everything } from '../store/key-range.ts';
import { encodeStep, type Step } from '../two-phase/step.ts';
import { ListedShard } from '../testing/listed-shard.ts';
import { sourceOf } from '../testing/listed-source.ts';
import type { Source } from './intake-source.ts';
import { Intake } from './intake.ts';
import { SplitSource } from './source.ts';
import { sweep } from './sweep.ts';

let dir: string;
let left: ListedShard;
let right: ListedShard;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-split-'));
  left = new ListedShard(join(dir, 'left'), everything);
  right = new ListedShard(join(dir, 'right'), null);
});

afterEach(async () => {
  await left.close();
  await right.close();
  rmSync(dir, { recursive: true, force: true });
});

const asked = { at: 'm', to: 'right', epoch: 1 };

const newIntake = (source = sourceOf(left)): Intake =>
  new Intake({
    shard: 'right',
    source,
    executor: right.executor,
    replica: right.replica,
    store: right.store,
  });

const split = async (): Promise<void> => {
  const intake = newIntake();
  await intake.begin({ from: 'left', at: 'm', epoch: 1 });
  while (!(await intake.step()));
};

const sweepAll = async (): Promise<void> => {
  for (const { executor, store } of [left, right]) while (await sweep(executor, store));
};

/** A source, and how many snapshots of it were opened. */
const counted = (source: Source): { source: Source; opened: () => number } => {
  let count = 0;
  const snapshot = (): ReturnType<Source['snapshot']> => {
    count += 1;
    return source.snapshot();
  };
  return { source: { ...source, snapshot }, opened: () => count };
};

const versionOf = async (shard: ListedShard, key: string): Promise<number> => {
  const { bytes } = await shard.ask(['QVERSIONS', key]);
  const [version] = (decodeReply(bytes)?.reply ?? []) as readonly number[];
  if (version === undefined) throw new Error('no version');
  return version;
};

const exec = async (
  shard: ListedShard,
  watched: { key: string; version: number },
  command: string,
): Promise<string> => {
  const payload = encodeTransaction([watched], [encodeCommand(command.split(' '))]);
  const { bytes } = await shard.request({ kind: requestKind.transaction, payload });
  return bytes.toString().trim().replaceAll('\r\n', ' ');
};

test('a source that is written to all the time holds up no split', async () => {
  const source = sourceOf(left);
  const busy = async <T>(answer: Promise<T>): Promise<T> => {
    await left.text('SET a again');
    const given = await answer;
    await left.text('SET a again');
    return given;
  };
  const intake = newIntake({ ...source, handOver: (one) => busy(source.handOver(one)) });
  await left.text('SET z 1');
  await intake.begin({ from: 'left', at: 'm', epoch: 1 });
  let steps = 0;
  while (!(await intake.step())) expect(steps++).toBeLessThan(20);
  expect(await right.text('GET z')).toBe('$1 1');
});

test('each half serves its keys, and only those, whoever leads it', async () => {
  await left.text('MSET a 1 m 2 z 3');
  await split();
  for (const again of [false, true]) {
    if (again) {
      left.failOver();
      await right.restart();
    }
    expect(await left.text('MGET a l')).toBe('*2 $1 1 $-1');
    expect(await left.text('GET m')).toBe('MOVED');
    expect(await left.text('MGET a z')).toBe('MOVED');
    expect(await right.text('MGET m z')).toBe('*2 $1 2 $1 3');
    expect(await right.text('SET l 1')).toBe('MOVED');
  }
});

test('before it has opened, the new shard serves nothing', async () => {
  await left.text('SET z 3');
  const intake = newIntake();
  await intake.begin({ from: 'left', at: 'm', epoch: 1 });
  await intake.step();
  expect(await right.text('GET z')).toBe('MOVED');
  expect(await left.text('GET z')).toBe('$1 3');
  expect(await right.text('DBSIZE')).toBe('MOVED');
});

test('commands on the whole shard see its own keys, before and after the others are swept', async () => {
  await left.text('MSET a 1 b 2 m 3 n 4 z 5');
  await split();
  for (const swept of [false, true]) {
    if (swept) await sweepAll();
    expect(await left.text('DBSIZE')).toBe(':2');
    expect(await right.text('DBSIZE')).toBe(':3');
    expect(await left.text('KEYS *')).toBe('*2 $1 a $1 b');
    expect(await left.text('KEYS b*')).toBe('*1 $1 b');
    expect(await left.text('KEYS n*')).toBe('*0');
    expect(await right.text('KEYS a*')).toBe('*0');
    expect(await right.text('QSCAN =n 10 m* ')).toBe('*2 $1 - *0');
    expect(await right.text('QSCAN - 10 * ')).toBe('*2 $1 - *3 $1 m $1 n $1 z');
    expect(await left.text('QRANGE  ')).toBe('*2 *2 $1 a $1 1 *2 $1 b $1 2');
    for (let i = 0; i < 20; i++) expect('mnz').toContain((await right.text('RANDOMKEY')).at(-1));
  }
  expect([...left.store.rows({})].map(({ key }) => key)).toEqual(['a', 'b']);
  expect([...right.store.rows({})].map(({ key }) => key)).toEqual(['m', 'n', 'z']);
});

test('who watches changes hears of what clients do, not of what is copied or swept away', async () => {
  await left.text('MSET a 1 b 1 z 1');
  await split();
  const before = left.entries.length;
  await left.text('DEL a');
  await right.text('SET y 1');
  await sweepAll();
  await left.text('DEL b');
  await right.text('DEL z');
  expect(left.store.get('z')).toBeUndefined();
  const shown = (entries: readonly CommittedEntry[]): string[] =>
    entries.flatMap((entry) => readEntry(entry, '').changes).map(({ kind, key }) => `${kind} ${key}`);
  expect(shown(left.entries.slice(before))).toEqual(['delete a', 'delete b']);
  expect(shown(right.entries)).toEqual(['put y', 'delete z']);
});

test('what was watched before the split counts as changed after it, also if it did not exist', async () => {
  await left.text('SET z 1');
  const [there, absent] = [await versionOf(left, 'z'), await versionOf(left, 'y')];
  await split();
  expect(await versionOf(right, 'z')).toBeGreaterThan(there);
  // Below zero: stamps grow downwards.
  expect(await versionOf(right, 'y')).toBeLessThan(absent);
  expect(await exec(right, { key: 'z', version: there }, 'SET z 2')).toBe('*-1');
  expect(await exec(right, { key: 'y', version: absent }, 'SET y 2')).toBe('*-1');
  expect(await exec(right, { key: 'z', version: await versionOf(right, 'z') }, 'SET z 2')).toBe('*1 +OK');
});

test('versions of the new shard are not those of the old one, though both logs count from 1', async () => {
  // One key for each sequence that the new log comes by: all of them are copied in one entry.
  const keys = Array.from({ length: 12 }, (_, i) => `z${i}`);
  for (const key of keys) await left.text(`SET ${key} old`);
  const before = new Map<string, number>();
  for (const key of keys) before.set(key, await versionOf(left, key));
  await split();
  let same = 0;
  for (const [key, version] of before) {
    if ((await versionOf(right, key)) % 2 ** 40 === version) same += 1;
    expect(await exec(right, { key, version }, `SET ${key} new`)).toBe('*-1');
  }
  expect(same, 'sequences that both logs have for the same key').toBeGreaterThan(0);
  for (const key of keys) expect(await right.text(`GET ${key}`)).toBe('$3 old');
});

test('stamps of removals of the new shard are not those of the old one, though both count from their first term', async () => {
  const remove = async (shard: ListedShard, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await shard.text('SET x 1');
      await shard.text('DEL x');
    }
  };
  await remove(left, 20);
  const absent = await versionOf(left, 'y');
  await split();
  await remove(right, 40);
  expect(await exec(right, { key: 'y', version: absent }, 'SET y 2')).toBe('*-1');
  expect(await exec(right, { key: 'y', version: await versionOf(right, 'y') }, 'SET y 2')).toBe('*1 +OK');
});

test('collections that are made after the split do not meet those that were copied', async () => {
  await left.text('HSET z field value');
  await split();
  await right.text('HSET y other 1');
  expect(await right.text('HGETALL z')).toBe('*2 $5 field $5 value');
  expect(await right.text('HGETALL y')).toBe('*2 $5 other $1 1');
});

test('the hand-over waits for a transaction over several shards that holds a key that moves', async () => {
  await left.text('SET a 1');
  const prepare = (id: string, command: string): Promise<unknown> => {
    const transaction = encodeTransaction([], [encodeCommand(command.split(' '))]);
    const roles = { anchor: 'left', participants: ['left', 'other'] };
    return left.request({ kind: requestKind.step, payload: encodeStep({ name: 'prepare', id, roles, transaction }) });
  };
  const commit = (id: string): Promise<unknown> =>
    left.request({ kind: requestKind.step, payload: encodeStep({ name: 'commit', id }) });
  await prepare('keeps', 'SET b 1');
  await prepare('moves', 'SET z 1');
  await expect(new SplitSource(left).handOver(asked)).rejects.toThrow(/^a transaction/);
  expect(await left.text('GET y')).toBe('$-1');
  await commit('moves');
  await split();
  expect(await right.text('GET z')).toBe('$1 1');
  await commit('keeps');
  expect(await left.text('GET b')).toBe('$1 1');
});

test('nobody empties a shard that takes keys over', async () => {
  await left.text('MSET a 1 z 1');
  const intake = newIntake();
  await intake.begin({ from: 'left', at: 'm', epoch: 1 });
  await intake.step();
  expect(await right.text('FLUSHALL')).toBe('MOVED');
  while (!(await intake.step()));
  expect(await right.text('GET z')).toBe('$1 1');
  expect(await right.text('FLUSHALL')).toBe('+OK');
  expect(await left.text('GET a')).toBe('$1 1');
});

test('copying waits for a log that is away for a moment, and does not begin again', async () => {
  for (let i = 0; i < 50; i++) await left.text(`SET z${i} value`);
  const { source, opened } = counted(sourceOf(left));
  const intake = new Intake({
    shard: 'right',
    source,
    executor: right.executor,
    replica: right.replica,
    store: right.store,
    pieceBytes: 100,
    onWritten: () => {
      if (opened() === 1 && failures++ < 3) right.replica.failNext('unknown-outcome');
    },
  });
  let failures = 0;
  await intake.begin({ from: 'left', at: 'm', epoch: 1 });
  while (!(await intake.step()));
  expect(failures).toBeGreaterThan(2);
  expect(opened()).toBe(1);
  expect([...right.store.rows({})]).toHaveLength(50);
});

test('where transactions over several shards follow each other without a gap, new ones wait for the hand-over', async () => {
  const roles = { anchor: 'left', participants: ['left', 'other'] };
  const step = (of: Step): ReturnType<ListedShard['request']> =>
    left.request({ kind: requestKind.step, payload: encodeStep(of) });
  const prepared = new Set<string>();
  let done = 0;
  /** Decides about a transaction only when another coordinator has prepared the next one, or cannot. */
  const coordinate = async (name: string): Promise<void> => {
    for (let n = 0; ; n++) {
      const id = `${name}${n}`;
      const transaction = encodeTransaction([], [encodeCommand(['INCR', `z${id}`])]);
      const asked = step({ name: 'prepare', id, roles, transaction });
      const others = [...prepared];
      const { status } = await Promise.race([asked, pause(50).then(() => ({ status: -1 }))]);
      if (status === answerStatus.reply) prepared.add(id);
      for (const other of others) await step({ name: 'commit', id: other });
      for (const other of others) if (prepared.delete(other)) done += 1;
      if ((await asked).status === answerStatus.moved) return;
      prepared.add(id);
      await pause(1);
    }
  };
  const load = Promise.all([coordinate('a'), coordinate('b')]);
  await pause(20);
  const handOver = new SplitSource(left).handOver(asked);
  await handOver;
  await load;
  await split();
  expect(done).toBeGreaterThan(2);
  expect([...right.store.rows({})]).toHaveLength(done);
});

test('until the new shard is open its keys stay where they were, and FLUSHALL waits', async () => {
  await left.text('MSET a 1 z 1');
  await new SplitSource(left).handOver(asked);
  expect(await left.text('DBSIZE')).toBe(':1');
  expect(await left.text('FLUSHALL')).toBe('MOVED');
  expect(await sweep(left.executor, left.store)).toBe(false);
  expect(left.store.get('z')).toBeDefined();
  await split();
  expect(await right.text('GET z')).toBe('$1 1');
  expect(await left.text('FLUSHALL')).toBe('+OK');
  expect(await right.text('GET z')).toBe('$1 1');
});

test('a hand-over that is not committed leaves the keys where they are', async () => {
  await left.text('SET z 1');
  left.replica.failNext('not-primary');
  await expect(new SplitSource(left).handOver(asked)).rejects.toThrow(/not committed/);
  expect(await left.text('GET z')).toBe('$1 1');
});

test('states before a change of the range cannot be read any more', async () => {
  await left.text('SET z 1');
  const before = left.store.position?.seq ?? 0;
  await left.store.flush();
  expect(() => left.store.at(before)).not.toThrow();
  await split();
  expect(() => left.store.at(before)).toThrow(/range/);
  expect(() => right.store.at(1)).toThrow(/range/);
});

test('a shard that has keys of its own takes no others over', async () => {
  const own = new ListedShard(join(dir, 'own'), everything);
  await own.text('SET a 1');
  const intake = new Intake({
    shard: 'own',
    source: sourceOf(left),
    executor: own.executor,
    replica: own.replica,
    store: own.store,
  });
  await expect(intake.begin({ from: 'left', at: 'm', epoch: 1 })).rejects.toThrow(/never served/);
  expect(await own.text('GET a')).toBe('$1 1');
  await own.close();
});
