import { describe, expect, test } from 'vitest';
import { checkBank } from './bank.ts';
import { checkLongFork } from './long-fork.ts';
import { operation } from './operations.ts';
import { checkRange } from './range.ts';
import { checkSet } from './set.ts';

describe('bank', () => {
  const read = (...output: number[]) => operation('read', { bank: 'b', total: 30 }, { output });

  test('good: every read finds all of the money', () => {
    expect(checkBank([read(10, 10, 10), read(5, 15, 10)]).anomalies).toEqual([]);
  });

  test('bad: a read finds half a transfer, or no account', () => {
    expect(checkBank([read(5, 10, 10)]).anomalies).toHaveLength(1);
    expect(checkBank([read(Number.NaN, 10, 10)]).anomalies).toHaveLength(1);
  });
});

describe('set', () => {
  const add = operation('add', 'e', { span: [0, 1] });
  const read = (from: number, ...output: string[]) => operation('read', ['e'], { output, span: [from, from + 1] });

  test('good: acknowledged and found; a read at the same time may miss it', () => {
    expect(checkSet([add, read(0), read(2, 'e')]).anomalies).toEqual([]);
  });

  test('good: an unknown add may come late or never', () => {
    const unknown = operation('add', 'e', { outcome: 'info', span: [0, 1] });
    expect(checkSet([unknown, read(2), read(4, 'e')]).anomalies).toEqual([]);
  });

  test('bad: acknowledged and missed by a later read', () => {
    expect(checkSet([add, read(2)]).anomalies).toEqual(['lost: e']);
  });

  test('bad: refused and found', () => {
    expect(checkSet([operation('add', 'e', { outcome: 'fail' }), read(2, 'e')]).anomalies).toEqual(['phantom: e']);
  });

  test('bad: found and missed later', () => {
    const unknown = operation('add', 'e', { outcome: 'info', span: [0, 1] });
    expect(checkSet([unknown, read(2, 'e'), read(4)]).anomalies).toEqual(['gone: e']);
  });
});

describe('long fork', () => {
  const read = (...output: boolean[]) => operation('read', ['x', 'y'], { output });

  test('good: what readers saw forms a chain', () => {
    const history = [read(false, false), read(true, false), read(true, true)];
    expect(checkLongFork(history).anomalies).toEqual([]);
  });

  test('bad: two readers disagree about which write came first', () => {
    expect(checkLongFork([read(true, false), read(false, true)]).anomalies).toEqual(['fork: x y: 10 and 01']);
  });
});

describe('range', () => {
  const write = (key: string, value: number, outcome: 'ok' | 'fail' | 'info', ...span: [number, number]) =>
    operation('write', { key, value }, { outcome, span });
  const read = (span: [number, number], ...output: [string, number][]) =>
    operation('read', { from: 'a', to: 'c', keys: ['a', 'b'] }, { output, span });

  test('good: all keys in order, each with a value that was acknowledged, or may have been written', () => {
    const history = [
      write('a', 1, 'ok', 0, 1),
      write('b', 2, 'info', 0, 1),
      read([0, 1], ['a', 0], ['b', 2]),
      read([2, 3], ['a', 1], ['b', 0]),
    ];
    expect(checkRange(history).anomalies).toEqual([]);
  });

  test('bad: a key is not there, or twice, or out of order', () => {
    expect(checkRange([read([0, 1], ['a', 0])]).anomalies).toEqual([
      'other keys: a to c at 0: lacks b, twice none, foreign none',
    ]);
    expect(checkRange([read([0, 1], ['a', 0], ['b', 0], ['b', 0])]).anomalies).toHaveLength(1);
    expect(checkRange([read([0, 1], ['b', 0], ['a', 0])]).anomalies).toHaveLength(1);
  });

  test('bad: KEYS lacks one, or has one twice', () => {
    const listing = (...output: string[]) => operation('keys', ['a', 'b'], { output });
    expect(checkRange([listing('a', 'b')]).anomalies).toEqual([]);
    expect(checkRange([listing('a'), listing('a', 'b', 'b')]).anomalies).toHaveLength(2);
  });

  test('bad: older than acknowledged, refused, or not yet written', () => {
    const history = [write('a', 1, 'ok', 0, 1), write('a', 2, 'fail', 4, 5), write('b', 3, 'ok', 8, 9)];
    const found = (span: [number, number], a: number, b: number) =>
      checkRange([...history, read(span, ['a', a], ['b', b])]).anomalies;
    expect(found([2, 3], 0, 0)).toEqual(['old: 0 instead of 1: a']);
    expect(found([6, 7], 2, 0)).toEqual(['phantom: 2: a']);
    expect(found([6, 7], 1, 3)).toEqual(['phantom: 3: b']);
  });
});
