import { describe, expect, test } from 'vitest';
import { checkBank } from './bank.ts';
import { checkLongFork } from './long-fork.ts';
import { operation } from './operations.ts';
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
