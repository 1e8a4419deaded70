import { describe, expect, test } from 'vitest';
import { type Condition, findCondition, mergeConditions } from './conditions.ts';

const EARLIER = '2026-01-01T00:00:00Z';
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const NOW = '2026-01-02T03:04:05Z';
const ready = (status: Condition['status'], reason = 'R', message = ''): Condition => ({
  type: 'Ready',
  status,
  observedGeneration: 1,
  lastTransitionTime: EARLIER,
  reason,
  message,
});

describe('merging conditions', () => {
  test.each([
    ['the first time', undefined, true, 'R', NOW],
    ['the same status keeps its time', ready('True'), true, 'R', EARLIER],
    ['another reason is no transition', ready('True'), true, 'Other', EARLIER],
    ['a change of status is one', ready('True'), false, 'R', NOW],
    ['to unknown as well', ready('True'), 'Unknown', 'R', NOW],
  ] as const)('%s', (...[, before, status, reason, time]) => {
    const [merged] = mergeConditions(before && [before], [{ type: 'Ready', status, reason }], { now, generation: 2 });
    expect(merged).toMatchObject({ lastTransitionTime: time, observedGeneration: 2, reason, message: '' });
  });

  test('types that are not desired go; order is as desired, whatever it was', () => {
    const before = [ready('True'), { ...ready('True'), type: 'Old' }];
    const desired = [
      { type: 'Degraded', status: false, reason: 'R' },
      { type: 'Ready', status: true, reason: 'R' },
    ];
    expect(mergeConditions(before, desired, { now }).map(({ type }) => type)).toEqual(['Degraded', 'Ready']);
  });

  test('merging again changes nothing', () => {
    const desired = [{ type: 'Ready', status: true, reason: 'R', message: 'm' }];
    const once = mergeConditions(undefined, desired, { now, generation: 1 });
    expect(mergeConditions(once, desired, { now: now + 60_000, generation: 1 })).toEqual(once);
    expect(findCondition(once, 'Ready')?.status).toBe('True');
  });
});
