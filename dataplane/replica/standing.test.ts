import { describe, expect, test } from 'vitest';
import { electionDue, rankAmong, type SilenceFacts } from './standing.ts';

const quiet: SilenceFacts = {
  now: 100_000,
  followingSince: 0,
  primaryHeardAt: 0,
  deafAt: 0,
  stoodAt: 0,
  rank: 0,
  lot: 0.5,
};

describe('standing for election without an operator', () => {
  const cases: readonly [name: string, facts: Partial<SilenceFacts>, due: boolean][] = [
    ['after a long silence', {}, true],
    ['not while a primary is heard', { primaryHeardAt: 99_000 }, false],
    ['not before the operator had its time', { primaryHeardAt: 96_000 }, false],
    ['not right after it began to follow', { followingSince: 98_000 }, false],
    ['not when it may be deaf itself', { deafAt: 97_000 }, false],
    ['not again at once', { stoodAt: 97_000 }, false],
    ['the best placed goes first', { primaryHeardAt: 94_000 }, true],
    ['the second best leaves it a second', { primaryHeardAt: 94_000, rank: 1 }, false],
  ];
  test.each(cases)('%s', (_name, facts, due) => {
    expect(electionDue({ ...quiet, ...facts })).toBe(due);
  });

  test('three replicas have all stood within 10 s of the last heartbeat', () => {
    expect(electionDue({ ...quiet, primaryHeardAt: 91_000, rank: 2, lot: 1 })).toBe(true);
  });
});

describe('rank', () => {
  const own = { pod: 'b', applied: 10 };
  test('counts peers that are further, or as far with a lower name', () => {
    expect(rankAmong(own, [])).toBe(0);
    expect(rankAmong(own, [{ pod: 'c', applied: 10 }])).toBe(0);
    expect(rankAmong(own, [{ pod: 'a', applied: 10 }])).toBe(1);
    expect(
      rankAmong(own, [
        { pod: 'c', applied: 11 },
        { pod: 'a', applied: 9 },
      ]),
    ).toBe(1);
  });
});
