import { expect, test } from 'vitest';
import { waitsFor, type RollOutState } from './roll-out.ts';

const state = (set: string, outdated: number, current: number, broken: string | null = null): RollOutState => ({
  set,
  outdated,
  current,
  broken,
});

test.each<[rule: string, set: string, states: readonly RollOutState[], expected: string | null]>([
  ['the first by name begins', 'a', [state('b', 3, 0), state('a', 3, 0)], null],
  ['the others wait for it', 'b', [state('b', 3, 0), state('a', 3, 0)], 'a gets it first'],
  ['one that has begun goes on', 'b', [state('b', 2, 1), state('a', 3, 0)], null],
  ['and is waited for', 'a', [state('b', 2, 1), state('a', 3, 0)], 'b gets it first'],
  ['one that is through is not waited for', 'b', [state('b', 3, 0), state('a', 0, 3)], null],
  [
    'nobody begins while a new pod does not work',
    'b',
    [state('b', 3, 0), state('a', 2, 1, 'db-a-2')],
    'paused: db-a-2 has the new template and is not ready',
  ],
  [
    'not even in a set that is through',
    'b',
    [state('b', 3, 0), state('a', 0, 3, 'x')],
    'paused: x has the new template and is not ready',
  ],
  ['a set does not wait for itself', 'a', [state('b', 3, 0), state('a', 2, 1, 'db-a-2')], null],
])('%s', (_, set, states, expected) => {
  expect(waitsFor(set, states)).toBe(expected);
});
