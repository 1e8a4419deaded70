import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Position } from '../../replica/state-machine.ts';
import { applyEffects, EffectWriter, type EffectTarget } from './effects.ts';
import { Store } from './store.ts';

let dir: string;
let store: Store;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-store-'));
  store = new Store(join(dir, 'a'));
});

afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const at = (seq: number): Position => ({ seq, term: 1, log: 'log', chain: String(seq), time: seq });

const operation = (write: (writer: EffectWriter) => void): Uint8Array => {
  const writer = new EffectWriter();
  write(writer);
  return writer.take();
};

const apply = (to: Store, seq: number, write: (writer: EffectWriter) => void): Promise<void> =>
  to.apply([{ seq, term: 1, time: seq, operations: [operation(write)] }], at(seq));

/** Everything in the file. */
const contents = async (of: Store): Promise<Record<string, string>> => {
  await of.flush();
  return Object.fromEntries(
    [...of.file.state.rows({})].map(({ key, row }) => [key, `${row.value.toString()}@${row.version}/${row.expireAt}`]),
  );
};

test('what is applied is visible at once, and in the file after a flush', async () => {
  await apply(store, 1, (writer) => writer.put('a', Buffer.from('1'), 0));
  expect(store.get('a')).toEqual({ type: 0, value: Buffer.from('1'), expireAt: 0, version: 1 });
  expect(await contents(store)).toEqual({ a: '1@1/0' });
  expect(store.get('a')?.value.toString()).toBe('1');
});

test('a reopened store continues at the position of its rows', async () => {
  await apply(store, 1, (writer) => writer.put('', Buffer.from('empty key'), 0));
  await apply(store, 2, (writer) => writer.put('b', Buffer.alloc(0), 77));
  await store.close();
  store = new Store(join(dir, 'a'));
  expect(store.position).toEqual(at(2));
  expect(await contents(store)).toEqual({ '': 'empty key@1/0', b: '@2/77' });
});

test('entries without effects move the position', async () => {
  await store.apply([], at(5));
  await store.flush();
  expect(store.file.position).toEqual(at(5));
});

test('the expiry index holds exactly the keys that expire, at their last time', async () => {
  const value = Buffer.from('v');
  await apply(store, 1, (writer) => {
    for (const key of ['a', 'b', 'c', 'd']) writer.put(key, value, 100);
  });
  await store.flush();
  await apply(store, 2, (writer) => {
    writer.put('a', value, 0);
    writer.expire('b', 200);
    writer.remove('c');
    writer.expire('missing', 300);
  });
  await store.flush();
  expect(store.file.due(1_000, 10)).toEqual([
    { key: 'd', at: 100 },
    { key: 'b', at: 200 },
  ]);
  expect(store.file.due(150, 10)).toEqual([{ key: 'd', at: 100 }]);
  await apply(store, 3, (writer) => writer.clear());
  await store.flush();
  expect(store.file.due(1_000, 10)).toEqual([]);
});

interface Step {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
  readonly at: number;
}

type Model = Map<string, { value: string; expireAt: number }>;

/** Each effect, on a store's writer and on a plain map. */
const effects: Readonly<
  Record<string, { write: (writer: EffectWriter, step: Step) => void; model: (model: Model, step: Step) => void }>
> = {
  put: {
    write: (writer, { key, value, at: expireAt }) => writer.put(key, Buffer.from(value), expireAt),
    model: (model, { key, value, at: expireAt }) => void model.set(key, { value, expireAt }),
  },
  remove: { write: (writer, { key }) => writer.remove(key), model: (model, { key }) => void model.delete(key) },
  expire: {
    write: (writer, { key, at: expireAt }) => writer.expire(key, expireAt),
    model: (model, { key, at: expireAt }) => {
      const row = model.get(key);
      if (row) model.set(key, { ...row, expireAt });
    },
  },
  clear: { write: (writer) => writer.clear(), model: (model) => model.clear() },
};

test('a store is what one effect after another makes it, whenever it is flushed', async () => {
  const step = fc.record({
    kind: fc.constantFrom('put', 'put', 'remove', 'expire', 'clear', 'flush'),
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.string({ maxLength: 4 }),
    at: fc.constantFrom(0, 50, 60),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const tested = new Store(join(dir, `run${run++}`));
      const model: Model = new Map();
      for (const [i, each] of steps.entries()) {
        const effect = effects[each.kind];
        effect?.model(model, each);
        if (effect) await apply(tested, i + 1, (writer) => effect.write(writer, each));
        else await tested.flush();
        for (const key of ['a', 'b', 'c']) expect(tested.get(key)?.value.toString()).toBe(model.get(key)?.value);
      }
      await tested.flush();
      const due = [...model].filter(([, { expireAt }]) => expireAt > 0).map(([key]) => key);
      expect(
        tested.file
          .due(1_000, 10)
          .map(({ key }) => key)
          .sort(),
      ).toEqual(due.sort());
      expect(tested.keys).toBe(model.size);
      await tested.close();
    }),
    { numRuns: 25 },
  );
});

test('a snapshot is what was there, whatever is applied while it is read, and restores to the same store', async () => {
  const large = Buffer.alloc(900_000, 'z');
  await apply(store, 1, (writer) => {
    for (let i = 0; i < 500; i++) writer.put(`key${i}`, Buffer.from(`value${i}`), i % 3 === 0 ? 5_000 + i : 0);
    writer.put('large', large, 0);
  });
  const snapshot = await store.snapshot();
  expect(snapshot.position).toEqual(at(1));
  await apply(store, 2, (writer) => writer.clear());
  await store.flush();
  const chunks: Uint8Array[] = [];
  for await (const chunk of snapshot.chunks) chunks.push(Buffer.from(chunk));
  await snapshot.release();
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(512 * 1024);

  const other = new Store(join(dir, 'b'));
  await apply(other, 9, (writer) => writer.put('stale', large, 0));
  await other.restore(
    snapshot.position,
    (async function* replay() {
      yield* chunks;
    })(),
  );
  expect(other.position).toEqual(at(1));
  expect(other.keys).toBe(501);
  expect(other.get('large')?.value.equals(large)).toBe(true);
  expect(other.get('stale')).toBeUndefined();
  expect(other.file.due(5_004, 10)).toEqual([
    { key: 'key0', at: 5_000 },
    { key: 'key3', at: 5_003 },
  ]);
  await other.close();
  const reopened = new Store(join(dir, 'b'));
  expect(reopened.position).toEqual(at(1));
  await reopened.close();
});

test('a snapshot that is cut short changes nothing', async () => {
  await apply(store, 1, (writer) => writer.put('a', Buffer.from('1'), 0));
  const cut = (async function* broken() {
    yield Buffer.from([0, 1, 97, 0, 0, 0, 99]);
  })();
  await expect(store.restore(at(7), cut)).rejects.toThrow(RangeError);
  expect(store.position).toEqual(at(1));
  expect(await contents(store)).toEqual({ a: '1@1/0' });
});

test('an operation of another version stops the store instead of being guessed', () => {
  const nothing: EffectTarget = {
    put: () => {},
    element: () => {},
    remove: () => {},
    expire: () => {},
    clear: () => {},
    note: () => {},
    forget: () => {},
  };
  expect(() => applyEffects(Buffer.from([9, 5]), nothing)).toThrow(RangeError);
  expect(() => applyEffects(Buffer.from([1, 99, 0, 0]), nothing)).toThrow(RangeError);
  expect(() =>
    applyEffects(operation((writer) => writer.put('a', Buffer.from('abc'), 0)).subarray(0, -1), nothing),
  ).toThrow(RangeError);
});

test('notes are beside the rows: kept by clear, by a reopening and in a snapshot', async () => {
  await apply(store, 1, (writer) => {
    writer.put('a', Buffer.from('1'), 0);
    writer.note('n', Buffer.from('x'));
    writer.note('gone', Buffer.from('y'));
  });
  await apply(store, 2, (writer) => {
    writer.clear();
    writer.forget('gone');
    writer.put('b', Buffer.from('2'), 0);
  });
  const notes = new Map([['n', Buffer.from('x')]]);
  expect(store.notes).toEqual(notes);
  await store.close();
  store = new Store(join(dir, 'a'));
  expect(store.notes).toEqual(notes);
  expect(await contents(store)).toEqual({ b: '2@2/0' });
  const snapshot = await store.snapshot();
  const other = new Store(join(dir, 'b'));
  await other.restore(snapshot.position, snapshot.chunks);
  await snapshot.release();
  expect(other.notes).toEqual(notes);
  expect(await contents(other)).toEqual({ b: '2@2/0' });
  await other.close();
});

test('of what is due only keys of a range are found', async () => {
  await apply(store, 1, (writer) => {
    for (const [i, key] of ['z1', 'b', 'z2', 'a', 'c'].entries()) writer.put(key, Buffer.from('1'), 10 + i);
  });
  await store.flush();
  const range = { start: '', end: 'm' };
  expect(store.file.due(100, 2, range).map(({ key }) => key)).toEqual(['b', 'a']);
  expect(store.file.due(13, 10, range)).toEqual([
    { key: 'b', at: 11 },
    { key: 'a', at: 13 },
  ]);
  expect(store.file.due(100, 10).map(({ key }) => key)).toEqual(['z1', 'b', 'z2', 'a', 'c']);
});
