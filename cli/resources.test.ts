import { describe, expect, it } from 'vitest';
import { readinessOf, summaryOf } from './resources.ts';

const resource = (condition?: object) => ({
  metadata: { name: 'app-a', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 2 },
  ...(condition && {
    status: { conditions: [{ type: 'Ready', status: 'True' as const, observedGeneration: 2, ...condition }] },
  }),
});

describe('readiness of a resource', () => {
  it.each([
    ['is ready', resource({}), ''],
    ['was not seen', resource(), 'not seen by the operator yet'],
    ['was ready before its last change', resource({ observedGeneration: 1 }), 'its last change is not seen yet'],
    ['says why not', resource({ status: 'False', reason: 'NoPrimary', message: 'no primary' }), 'no primary'],
    ['has only a reason', resource({ status: 'False', reason: 'NoPrimary' }), 'NoPrimary'],
    ['gave its keys away', resource({ status: 'False', reason: 'Merged', message: 'its keys are those of b' }), ''],
    ['says nothing', resource({ status: 'Unknown' }), 'not ready'],
  ])('%s', (_name, object, reason) => {
    expect(readinessOf('dbshards', object)).toEqual({
      name: 'dbshards/app-a',
      namespace: 'default',
      ready: reason === '',
      reason,
    });
  });

  it('is summed up in one line', () => {
    const waiting = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
      name,
      namespace: '',
      ready: name === 'a',
      reason: 'why',
    }));
    expect(summaryOf(waiting)).toBe('1 of 5 ready, waiting for b (why), c (why), d (why), and 1 more');
  });
});
