import { expect, test } from 'vitest';
import { TransactionHistory, type Bounds } from './transaction-history.ts';

const bounds = (): ReadonlyMap<string, Bounds> =>
  new Map(['a', 'b'].map((name) => [name, { position: 1, settled: 1, floor: 1, ceiling: 100, open: [] }]));
const roles = { id: 't', anchor: 'a', participants: ['a', 'b'] };
const cutOf = (history: TransactionHistory, a: number, b: number): unknown => {
  const cut = history.pullBack(
    new Map([
      ['a', a],
      ['b', b],
    ]),
  );
  return cut === null ? null : Object.fromEntries(cut);
};

const committed = (): TransactionHistory => {
  const history = new TransactionHistory(bounds(), 10);
  history.add('a', 10, { ...roles, state: 'prepared' });
  history.add('b', 20, { ...roles, state: 'prepared' });
  history.add('a', 30, { ...roles, state: 'committed' });
  history.add('b', 40, { id: 't', state: 'over' });
  history.add('a', 50, { id: 't', state: 'over' });
  return history;
};

test.each([
  [60, 60, { a: 60, b: 60 }, 'all of it'],
  [5, 5, { a: 5, b: 5 }, 'nothing of it'],
  [30, 20, { a: 30, b: 20 }, 'decided, and prepared: it is carried out'],
  [30, 19, { a: 29, b: 19 }, 'decided, but not prepared: the decision goes'],
  [29, 40, { a: 29, b: 39 }, 'carried out, but not decided: that goes'],
  [50, 39, { a: 49, b: 39 }, 'forgotten, but not carried out: that goes'],
  [50, 10, { a: 29, b: 10 }, 'one thing after the other goes'],
])('a cut at %i and %i becomes %j: %s', (a, b, wanted) => {
  expect(cutOf(committed(), a, b)).toEqual(wanted);
});

test('the first prepare of a transaction counts, not one that came late', () => {
  const history = committed();
  history.add('b', 60, { ...roles, state: 'prepared' });
  expect(cutOf(history, 55, 55)).toEqual({ a: 55, b: 55 });
});

test('a transaction that was given up holds nothing back', () => {
  const history = new TransactionHistory(bounds(), 10);
  history.add('a', 10, { ...roles, state: 'prepared' });
  history.add('b', 20, { ...roles, state: 'prepared' });
  history.add('a', 30, { id: 't', state: 'over' });
  expect(cutOf(history, 15, 19)).toEqual({ a: 15, b: 19 });
});

test('a cut is not moved back beyond a floor', () => {
  const history = new TransactionHistory(
    new Map([...bounds()].map(([name, each]) => [name, { ...each, floor: 35 }])),
    10,
  );
  for (const [shard, seq, state] of [
    ['a', 40, 'committed'],
    ['b', 20, 'prepared'],
    ['b', 36, 'over'],
  ] as const) {
    history.add(shard, seq, state === 'over' ? { id: 't', state } : { ...roles, state });
  }
  expect(cutOf(history, 36, 36)).toEqual({ a: 36, b: 35 });
  expect(cutOf(history, 36, 35)).toEqual({ a: 36, b: 35 });
  const below = new TransactionHistory(
    new Map([...bounds()].map(([name, each]) => [name, { ...each, floor: 36 }])),
    10,
  );
  below.add('a', 40, { ...roles, state: 'committed' });
  below.add('b', 36, { id: 't', state: 'over' });
  expect(cutOf(below, 36, 36)).toBe(null);
});
