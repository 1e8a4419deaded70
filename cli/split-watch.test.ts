import { describe, expect, it, test } from 'vitest';
import type { DbShard } from './db-shards.ts';
import { objection, splitNews } from './split-watch.ts';

type Status = DbShard['status'];

const shard = (name: string, status?: Status, over: object = {}): DbShard =>
  ({
    metadata: { name, namespace: 'default', creationTimestamp: '', ...over },
    spec: { database: 'app' },
    ...(status && { status }),
  }) as DbShard;

const splitting = (status: 'True' | 'False', reason: string, message: string): Status => ({
  conditions: [{ type: 'Splitting', status, reason, message, lastTransitionTime: '' }],
  ...(status === 'True' && { split: { from: 'app', phase: 'Copying' } }),
});

const names = { source: 'app', target: 'half' };
const source = shard('app', { range: { start: '', end: 'm', epoch: 1 } });

describe('what is seen of a split', () => {
  it('before the operator has seen it', () => {
    expect(splitNews([source, shard('half')], names)).toMatchObject({ type: 'goes-on', phase: 'Waiting' });
  });

  it('while it goes on', () => {
    const half = shard('half', splitting('True', 'Copying', 'half copies all keys'));
    expect(splitNews([source, half], names)).toEqual({
      type: 'goes-on',
      phase: 'Copying',
      detail: 'half copies all keys',
    });
  });

  it('when the new shard serves its keys', () => {
    const half = shard('half', { range: { start: 'm', end: '', epoch: 1 } });
    expect(splitNews([source, half], names)).toEqual({ type: 'open', text: 'app ["", "m"), half ["m", end)' });
  });

  it('when it cannot begin', () => {
    const half = shard('half', splitting('False', 'KeyOutside', 'choose another'));
    expect(splitNews([source, half], names)).toEqual({ type: 'refused', why: 'choose another' });
  });

  it('when somebody deleted the new shard', () => {
    expect(splitNews([source], names)).toEqual({ type: 'given-up' });
    expect(splitNews([source, shard('half', undefined, { deletionTimestamp: 'now' })], names).type).toBe('given-up');
  });
});

test.each<[string, DbShard, string | undefined, RegExp | null]>([
  ['a shard at its middle', source, undefined, null],
  ['at a key inside of it', source, 'c', null],
  ['at its end', source, 'm', /"m" is not inside of app \["", "m"\): choose a key above "" and below "m"/],
  ['at its start', shard('app', { range: { start: 'c', end: '', epoch: 0 } }), 'c', /choose a key above "c"$/],
  ['one that has no keys yet', shard('app', {}), 'c', /serves no keys yet/],
  ['one that goes', shard('app', {}, { deletionTimestamp: 'now' }), 'c', /is being deleted/],
  [
    'one that is being split',
    shard('app', { split: { to: 'half', phase: 'Copying' } }),
    undefined,
    /app is being split with half \(Copying\): try again when that is over/,
  ],
  [
    'one that is being merged',
    shard('app', { merge: { from: 'next', phase: 'Following' } }),
    undefined,
    /app is being merged with next \(Following\): try again/,
  ],
  [
    'one that was merged',
    shard('app', { range: { start: 'm', end: 'm', epoch: 3 }, merge: { to: 'low', phase: 'Merged' } }),
    undefined,
    /no keys any more: split the shard that has them/,
  ],
])('splitting %s', (_, one, at, expected) => {
  const why = objection(one, at);
  if (expected === null) expect(why).toBeNull();
  else expect(why).toMatch(expected);
});
