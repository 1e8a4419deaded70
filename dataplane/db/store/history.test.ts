import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Position } from '../../replica/state-machine.ts';
import { EffectWriter } from './effects.ts';
import { Store } from './store.ts';

let dir: string;
let store: Store;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quartet-history-'));
  store = new Store(join(dir, 'a'));
});

afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const at = (seq: number, time: number): Position => ({ seq, term: 1, log: 'log', chain: String(seq), time });

const put = async (seq: number, time: number, value: string | Buffer): Promise<void> => {
  const writer = new EffectWriter();
  writer.put('a', Buffer.from(value), 0);
  await store.apply([{ seq, term: 1, time, operations: [writer.take()] }], at(seq, time));
};

const valueAt = (seq: number): string | undefined => store.at(seq).get('a')?.value.toString();

test('each sequence of the window reads as it was, with its log time; what is older is refused, what is not there yet too', async () => {
  for (let seq = 1; seq <= 100; seq++) {
    await put(seq, seq * 100, String(seq));
    if (seq % 3 === 0) await store.flush();
  }
  const oldest = store.oldest ?? 0;
  expect(oldest).toBeGreaterThan(30);
  expect(oldest).toBeLessThanOrEqual(50);
  for (let seq = oldest; seq <= 100; seq++) expect(valueAt(seq)).toBe(String(seq));
  expect(store.at(70).time).toBe(7_000);
  expect(() => store.at(oldest - 1)).toThrow(expect.objectContaining({ code: 'too-old' }));
  expect(() => store.at(101)).toThrow(expect.objectContaining({ code: 'not-yet' }));
});

test('a window that many bytes were written in is shorter', async () => {
  const large = Buffer.alloc(1024 * 1024);
  await put(1, 0, 'small');
  for (let seq = 2; seq <= 30; seq++) {
    await put(seq, seq * 1_000, large);
    await store.flush();
  }
  expect(store.oldest).toBeGreaterThan(15);
  expect(store.at(30).get('a')?.value.length).toBe(large.length);
});

test('the past begins anew when a store is opened or restored', async () => {
  await put(1, 1_000, 'one');
  await put(2, 2_000, 'two');
  await store.close();
  store = new Store(join(dir, 'a'));
  expect(store.oldest).toBe(2);
  await put(3, 2_100, 'three');
  expect([valueAt(2), valueAt(3)]).toEqual(['two', 'three']);
  const snapshot = await store.snapshot();
  const other = new Store(join(dir, 'b'));
  await other.restore(snapshot.position, snapshot.chunks);
  await snapshot.release();
  expect(other.oldest).toBe(3);
  await other.close();
});
