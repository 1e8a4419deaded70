import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { everything } from '../store/key-range.ts';
import { ListedShard } from '../testing/listed-shard.ts';
import { Middle, middleKey } from './border.ts';

const numbered = (i: number): string => `k${String(i).padStart(6, '0')}`;

const borderOf = (weights: readonly number[]): { index: number; share: number } => {
  const middle = new Middle();
  for (const [i, weight] of weights.entries()) middle.add(numbered(i), weight);
  const index = Number((middle.border ?? 'k-1').slice(1));
  const sum = (of: readonly number[]): number => of.reduce((total, weight) => total + weight, 0);
  return { index, share: sum(weights.slice(0, index)) / sum(weights) };
};

test('of many keys the border is near the middle', () => {
  for (const count of [1_000, 10_000, 123_457]) {
    const { share } = borderOf(Array.from({ length: count }, () => 100));
    expect(share).toBeGreaterThan(0.49);
    expect(share).toBeLessThan(0.51);
  }
});

test('large values count more than small ones', () => {
  expect(borderOf([...Array.from({ length: 1_000 }, () => 1), 1_000, 1_000]).index).toBe(1_001);
});

test('there is something on both sides, whatever the weights', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 3_000 }), (weights) => {
      const { index } = borderOf(weights);
      expect(index).toBeGreaterThan(0);
      expect(index).toBeLessThan(weights.length);
    }),
  );
});

test('a key that resources cannot hold is no border', () => {
  const middle = new Middle();
  expect(middle.border).toBeNull();
  middle.add('a', 1);
  expect(middle.border).toBeNull();
  middle.add('b\xff', 1);
  middle.add(`c${'x'.repeat(256)}`, 1);
  expect(middle.border).toBeNull();
  middle.add('d\xc3\xa9', 1);
  expect(middle.border).toBe('d\xc3\xa9');
});

test('a store is looked through with its collections, and only where the keys are its own', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'quartet-border-'));
  const shard = new ListedShard(dir, everything);
  for (let i = 0; i < 50; i++) await shard.text(`SET ${numbered(i)} value`);
  expect(await middleKey(shard.store)).toBe(numbered(25));
  for (let i = 0; i < 100; i++) await shard.text(`RPUSH ${numbered(40)}list ${i}`);
  expect(await middleKey(shard.store)).toBe(`${numbered(40)}list`);
  await shard.close();
  rmSync(dir, { recursive: true, force: true });
});
