import { expect, test } from 'vitest';
import { Loss, type Sight } from './loss.ts';

const target = { pod: 'm0', term: 3, incarnation: 'a' };
const calm: Sight = {
  now: 0,
  connected: true,
  target,
  primary: target,
  incarnation: 'a',
  gone: false,
  nextId: 10,
};

/** One look after another. */
const looks = (...sights: readonly Partial<Sight>[]): number[] => {
  const loss = new Loss();
  return sights.map((sight) => loss.before({ ...calm, ...sight }));
};

const newer = { pod: 'm1', term: 4, incarnation: 'b' };
const cases: readonly [promise: string, sights: readonly Partial<Sight>[], before: readonly number[]][] = [
  ['a primary that answers is waited for', [{}, { now: 9_000 }], [0, 0]],
  ['a primary that is silent too: it may only be slow', [{ primary: null }], [0]],
  ['one of a lower term deposes nobody', [{ primary: { ...newer, term: 2 } }], [0]],
  ['never heard: not known to be another process', [{ incarnation: undefined }], [0]],
  ['another process under its name: lost at once', [{ incarnation: 'b' }], [10]],
  [
    'another primary: half a second for the last answers of the old one',
    [
      { now: 100, primary: newer },
      { now: 599, primary: newer },
      { now: 600, primary: newer },
    ],
    [0, 0, 10],
  ],
  [
    'the shard is gone: the same',
    [
      { now: 100, gone: true, primary: null },
      { now: 600, gone: true, primary: null },
    ],
    [0, 10],
  ],
  [
    'after a cut, what was sent before its end: three seconds, and once',
    [
      { connected: false },
      { now: 100 },
      { now: 3_099, nextId: 20 },
      { now: 3_100, nextId: 20 },
      { now: 9_000, nextId: 20 },
    ],
    [0, 0, 0, 10, 0],
  ],
  [
    'a second cut starts the time anew',
    [{ connected: false }, { now: 100 }, { now: 200, connected: false }, { now: 3_100, nextId: 20 }, { now: 6_100 }],
    [0, 0, 0, 0, 20],
  ],
];

test.each(cases)('%s', (_, sights, before) => {
  expect(looks(...sights)).toEqual(before);
});

test('another target: the time of a new primary starts anew', () => {
  const loss = new Loss();
  loss.before({ ...calm, now: 100, primary: newer });
  loss.retargeted();
  expect(loss.before({ ...calm, now: 700, primary: newer })).toBe(0);
});
