import { expect, test } from 'vitest';
import type { Heartbeat, ReplicaReport } from '../../../contract/heartbeat.ts';
import { followingOf, isEmptied, isHandedTo, objectionToOpening } from './readiness.ts';

test.each([
  [3, 1, false, /only 1 of 3/],
  [3, 2, false, null],
  [2, 1, false, null],
  [1, 1, false, null],
  [5, 2, false, /only 2 of 5/],
  [3, 1, true, null],
])('of %i members %i follow, handed over: %s', (members, following, handed, objection) => {
  const found = objectionToOpening({ members, following, handed });
  if (objection === null) expect(found).toBeNull();
  else expect(found).toMatch(objection);
});

const beatsOf = (reports: Record<string, Partial<ReplicaReport> & { dead?: boolean }>) => ({
  get: (pod: string) => {
    const replica = reports[pod];
    return replica && { receivedAt: 0, beat: { pod, replica } as unknown as Heartbeat };
  },
  alive: (pod: string) => reports[pod]?.dead !== true,
});

test('who is silent, rebuilt or starting does not follow', () => {
  const beats = beatsOf({
    a: { state: 'primary' },
    b: { state: 'following' },
    c: { state: 'following', dead: true },
    d: { state: 'rebuilding' },
    e: { state: 'starting' },
  });
  expect(followingOf(['a', 'b', 'c', 'd', 'e', 'never-heard'], beats)).toBe(2);
});

test('a hand-over counts whichever member of the source tells of it, and only if it is to this shard', () => {
  const range = { start: '', end: 'm', epoch: 1, handed: { to: 'new', start: 'm', end: '' } };
  const beats = beatsOf({ a: { state: 'following' }, b: { state: 'primary', range, dead: true } });
  expect(isHandedTo('new', ['a', 'b'], beats)).toBe(true);
  expect(isHandedTo('other', ['a', 'b'], beats)).toBe(false);
  expect(isHandedTo('new', ['a'], beats)).toBe(false);
});

test('a shard has no keys any more when the newest that was told says so, and it is no new one', () => {
  const empty = { start: 'm', end: 'm', epoch: 2 };
  const beats = beatsOf({
    old: { range: { start: 'm', end: '', epoch: 1 } },
    now: { range: empty },
    begun: { range: { ...empty, intake: { from: 'x', phase: 'log' } } },
    all: { range: { start: '', end: '', epoch: 3 } },
  });
  expect(isEmptied(['old', 'now'], beats)).toBe(true);
  for (const members of [['old'], ['begun'], ['all'], ['never-heard']]) expect(isEmptied(members, beats)).toBe(false);
});
