import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import type { Position } from '../../replica/state-machine.ts';
import { EffectWriter } from './effects.ts';
import { encodeHead } from './head.ts';
import { generationOf, valueType } from './row.ts';
import { Store } from './store.ts';

let dir: string;
let store: Store;
let seq: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-collections-'));
  store = new Store(join(dir, 'a'));
  seq = 0;
});

afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const at = (place: number): Position => ({ seq: place, term: 1, log: 'log', chain: String(place), time: place * 600 });

const apply = async (write: (writer: EffectWriter) => void): Promise<number> => {
  const writer = new EffectWriter();
  write(writer);
  seq++;
  await store.apply([{ seq, term: 1, time: seq * 600, operations: [writer.take()] }], at(seq));
  return seq;
};

const putHash = (writer: EffectWriter, key: string, generation: number, elements: Record<string, string>): void => {
  for (const [name, value] of Object.entries(elements)) writer.element(generation, name, Buffer.from(value));
  const head = encodeHead({ generation, count: Object.keys(elements).length, first: 0 });
  writer.put(key, head, 0, valueType.hash);
};

const elementsOf = (state: Pick<Store, 'get' | 'elements'>, key: string): Record<string, string> =>
  Object.fromEntries(
    [...state.elements(generationOf(state.get(key)), {})].map(({ name, value }) => [name, value.toString()]),
  );

test('elements are there at once, after a flush, after a reopening, and in order', async () => {
  await apply((writer) => putHash(writer, 'h', 1, { b: '2', a: '1' }));
  expect(elementsOf(store, 'h')).toEqual({ a: '1', b: '2' });
  await store.flush();
  await apply((writer) => putHash(writer, 'h', 1, { c: '3', a: '4' }));
  await apply((writer) => writer.element(1, 'b', null));
  expect([...store.elements(1, {})].map(({ name }) => name)).toEqual(['a', 'c']);
  expect([...store.elements(1, { reverse: true })].map(({ name }) => name)).toEqual(['c', 'a']);
  expect([...store.elements(1, { from: 'b', to: 'd' })].map(({ name }) => name)).toEqual(['c']);
  expect(store.countElements(1, { to: 'c' })).toBe(1);
  await store.close();
  store = new Store(join(dir, 'a'));
  expect(elementsOf(store, 'h')).toEqual({ a: '4', c: '3' });
  expect(store.generation).toBe(1);
});

test('elements of a removed or replaced collection are swept in the background, and its generation is not used again', async () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`f${i}`, 'v']));
  await apply((writer) => putHash(writer, 'removed', 1, many));
  await apply((writer) => putHash(writer, 'replaced', 2, many));
  await apply((writer) => putHash(writer, 'stays', 3, { a: '1' }));
  await store.flush();
  await apply((writer) => {
    writer.remove('removed');
    writer.put('replaced', Buffer.from('text'), 0);
  });
  await apply((writer) => putHash(writer, 'brief', 4, { a: '1' }));
  await apply((writer) => writer.remove('brief'));
  await store.flush();
  await until({ what: 'the sweep', timeoutMs: 5_000 }, async () => (store.file.untidy ? undefined : true));
  for (const generation of [1, 2, 4]) expect(store.file.state.countElements(generation, {})).toBe(0);
  expect(elementsOf(store, 'stays')).toEqual({ a: '1' });
  expect(store.generation).toBe(4);
});

test('a row that moves to another key takes its elements along', async () => {
  await apply((writer) => putHash(writer, 'from', 1, { a: '1' }));
  await store.flush();
  await apply((writer) => {
    writer.put('to', encodeHead({ generation: 1, count: 1, first: 0 }), 0, valueType.hash);
    writer.remove('from');
  });
  await store.flush();
  await apply((writer) => writer.put('x', Buffer.from('1'), 0));
  await store.flush();
  expect(store.file.untidy).toBe(false);
  expect(elementsOf(store, 'to')).toEqual({ a: '1' });
});

test('a snapshot holds collections, without what is being swept', async () => {
  await apply((writer) => putHash(writer, 'h', 1, { a: '1', b: '2' }));
  await apply((writer) => putHash(writer, 'old', 2, { a: '1' }));
  await store.flush();
  await apply((writer) => writer.remove('old'));
  const snapshot = await store.snapshot();
  const other = new Store(join(dir, 'b'));
  await other.restore(snapshot.position, snapshot.chunks);
  await snapshot.release();
  expect(elementsOf(other, 'h')).toEqual({ a: '1', b: '2' });
  expect(other.file.state.countElements(2, {})).toBe(0);
  expect(other.generation).toBe(2);
  await other.close();
});

test('a snapshot of version 1 restores to the same rows', async () => {
  const row = Buffer.alloc(18, 0);
  row.writeDoubleBE(7, 1);
  row[17] = 0x78;
  const chunk = Buffer.concat([Buffer.from([0, 1, 0x61, 0, 0, 0, 18]), row]);
  const chunks = (async function* one() {
    yield chunk;
  })();
  await store.restore(at(9), chunks);
  expect(store.get('a')).toEqual({ type: 0, value: Buffer.from('x'), expireAt: 0, version: 7 });
});

type Model = Map<string, { generation: number; elements: Map<string, string> }>;

const step = fc.record({
  kind: fc.constantFrom('set', 'set', 'set', 'unset', 'remove', 'rename', 'clear', 'flush'),
  key: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('x', 'y', 'z', 'zz'),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Play = (writer: EffectWriter, model: Model, step: Step) => void;

/** Writes one step, and does the same to the model. */
const plays: Readonly<Record<string, Play>> = {
  set: (writer, model, { key, name }) => {
    const { generation, elements } = model.get(key) ?? { generation: seq + 1, elements: new Map<string, string>() };
    model.set(key, { generation, elements: elements.set(name, String(seq)) });
    putHash(writer, key, generation, { [name]: String(seq) });
  },
  unset: (writer, model, { key, name }) => {
    const found = model.get(key);
    if (!found) return;
    found.elements.delete(name);
    writer.element(found.generation, name, null);
    putHash(writer, key, found.generation, {});
  },
  remove: (writer, model, { key }) => {
    model.delete(key);
    writer.remove(key);
  },
  rename: (writer, model, { key }) => {
    const [found, other] = [model.get(key), key === 'a' ? 'b' : 'a'];
    if (!found) return;
    model.set(other, found);
    model.delete(key);
    putHash(writer, other, found.generation, {});
    writer.remove(key);
  },
  clear: (writer, model) => {
    model.clear();
    writer.clear();
  },
};

const expectSame = (state: Pick<Store, 'get' | 'elements' | 'countElements'>, model: Model): void => {
  for (const key of ['a', 'b']) {
    const generation = generationOf(state.get(key));
    expect(generation).toBe(model.get(key)?.generation ?? 0);
    const sorted = [...(model.get(key)?.elements ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    if (generation === 0) continue;
    expect([...state.elements(generation, {})].map(({ name, value }) => [name, value.toString()])).toEqual(sorted);
    const inside = sorted.filter(([name]) => name >= 'y' && name < 'zz').map(([name]) => name);
    const range = { from: 'y', to: 'zz', reverse: true };
    expect([...state.elements(generation, range)].map(({ name }) => name)).toEqual(inside.toReversed());
    expect(state.countElements(generation, range)).toBe(inside.length);
  }
};

test('collections are what one effect after another makes them, whenever they are flushed; and any past sequence reads as it was', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const before = store;
      store = new Store(join(dir, `run${run++}`));
      seq = 0;
      const model: Model = new Map();
      const past: Model[] = [];
      for (const each of steps) {
        const play = plays[each.kind];
        if (play) await apply((writer) => play(writer, model, each));
        else await store.flush();
        past[seq] = structuredClone(model);
        expectSame(store, model);
      }
      for (let place = store.oldest ?? seq + 1; place <= seq; place++)
        expectSame(store.at(place), past[place] ?? new Map());
      await store.close();
      store = before;
    }),
    { numRuns: 60 },
  );
});

test('a number is taken as soon as an element has it, before there is a row, and stays so', async () => {
  await apply((writer) => writer.element(7, '', null));
  expect(store.generation).toBe(7);
  await store.close();
  store = new Store(join(dir, 'a'));
  expect(store.generation).toBe(7);
});
