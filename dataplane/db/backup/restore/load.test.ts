import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { DbShardEntry } from '../../../../contract/directory.ts';
import { decodeWatched, requestKind } from '../../batch/request-batch.ts';
import { Frame, readTrusted } from '../../resp/frame.ts';
import { EffectWriter } from '../../store/effects.ts';
import { encodeRange, firstRange, rangeNote } from '../../store/key-range.ts';
import { valueType } from '../../store/row.ts';
import { Store } from '../../store/store.ts';
import { BackupError } from '../backup-error.ts';
import { loadStores } from './load.ts';
import type { Target, TargetRequest } from './target.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-load-'));
let store: Store;
let count = 0;
beforeEach(() => {
  store = new Store(join(dir, String(count++)));
});
afterEach(() => store.close());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const fill = async (write: (writer: EffectWriter) => void): Promise<void> => {
  const writer = new EffectWriter();
  writer.note(rangeNote, encodeRange(firstRange({ start: '', end: '' })));
  write(writer);
  const position = { seq: 1, term: 1, log: 'l', chain: '', time: 1 };
  await store.apply([{ seq: 1, term: 1, time: 1, operations: [writer.take()] }], position);
};

/** The commands of a request: name and key of each. */
const commandsOf = ({ kind = 0, payload }: TargetRequest): { name: string; key: string }[] => {
  const frame = new Frame();
  const found: { name: string; key: string }[] = [];
  let at = (kind & requestKind.transaction) === 0 ? 0 : decodeWatched(payload).commandsAt;
  while (at < payload.length) {
    at = readTrusted(frame, payload, at);
    found.push({ name: frame.word(0), key: frame.key(1) });
  }
  return found;
};

/** A database of two shards, cut at a key that may change, which refuses what it is told to. */
class ListedTarget {
  readonly asked: TargetRequest[] = [];
  cut = 'm';
  refuse: (request: TargetRequest) => void = () => {};

  shardOf(key: string): DbShardEntry {
    return { name: key < this.cut ? 'low' : 'high' } as DbShardEntry;
  }

  async ask(request: TargetRequest): Promise<null> {
    this.refuse(request);
    this.asked.push(request);
    return null;
  }
}

const load = async (target: ListedTarget): Promise<{ keys: number; bytes: number }> => {
  const loaded = { keys: 0, bytes: 0 };
  const { signal } = new AbortController();
  await loadStores([store], { target: target as unknown as Target, now: () => 1_000, signal, loaded });
  return loaded;
};

const keyOf = (i: number): string => `${i % 2 === 0 ? 'a' : 'z'}${String(i).padStart(6, '0')}`;

test('many keys go in one request, each key once, none with those of another shard; what has expired stays away', async () => {
  await fill((writer) => {
    for (let i = 0; i < 5_000; i++) writer.put(keyOf(i), Buffer.alloc(100), 0);
    writer.put('gone', Buffer.from('x'), 500);
    writer.put('stays', Buffer.from('x'), 5_000);
  });
  const target = new ListedTarget();
  expect((await load(target)).keys).toBe(5_001);
  const keys = target.asked.flatMap((request) => commandsOf(request).map(({ key }) => key));
  expect(keys.toSorted()).toEqual([...Array.from({ length: 5_000 }, (_, i) => keyOf(i)), 'stays'].toSorted());
  expect(target.asked.length).toBeLessThan(20);
  for (const request of target.asked) {
    expect(new Set(request.keys?.map((key) => target.shardOf(key).name)).size).toBe(1);
    expect(request.keys).toEqual(commandsOf(request).map(({ key }) => key));
    expect(request.payload.length).toBeLessThan(400_000);
  }
});

test('a shard that is split meanwhile is no end: what was refused is sent to those that have the keys then', async () => {
  await fill((writer) => {
    for (let i = 0; i < 100; i++) writer.put(keyOf(i), Buffer.from('1'), 0);
  });
  const target = new ListedTarget();
  target.cut = '';
  target.refuse = () => {
    if (target.cut !== '') return;
    target.cut = 'm';
    throw new BackupError('unreachable', 'TRYAGAIN the range of the shard has changed; not executed');
  };
  expect((await load(target)).keys).toBe(100);
  expect(target.asked.map(({ keys }) => keys?.length)).toEqual([50, 50]);
});

test('a collection that is too large for one request is written by itself, from nothing, in order', async () => {
  await fill((writer) => {
    const row = Buffer.alloc(16);
    row.writeDoubleBE(7, 0);
    writer.put('big', row, 9_000, valueType.hash);
    for (let i = 0; i < 700; i++) writer.element(7, `f${i}`, Buffer.alloc(1_000));
    writer.put('small', Buffer.from('x'), 0);
  });
  const target = new ListedTarget();
  expect((await load(target)).keys).toBe(2);
  const big = target.asked.filter(({ key }) => key === 'big').flatMap(commandsOf);
  expect(big.map(({ name }) => name)).toEqual(['UNLINK', 'HSET', 'HSET', 'PEXPIREAT']);
});

test('what a database refuses for good ends it with the reason', async () => {
  await fill((writer) => writer.put('k', Buffer.from('1'), 0));
  const target = new ListedTarget();
  target.refuse = () => {
    throw new BackupError('invalid', 'database copy: ERR no');
  };
  await expect(load(target)).rejects.toThrow('database copy: ERR no');
});
