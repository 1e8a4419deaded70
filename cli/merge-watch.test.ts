import { describe, expect, it, test } from 'vitest';
import type { MergePhase } from '../crds/db-shard.ts';
import type { DbShard } from './db-shards.ts';
import { cancelNews, lowerNeighbour, mergeNews, objection } from './merge-watch.ts';

type Status = NonNullable<DbShard['status']>;

const shard = (name: string, status: Status = {}, spec: object = {}, metadata: object = {}): DbShard =>
  ({
    metadata: { name, namespace: 'default', creationTimestamp: '', generation: 2, ...metadata },
    spec: { database: 'app', ...spec },
    status: { observedGeneration: 2, ...status },
  }) as DbShard;

const range = (start: string, end: string) => ({ start, end, epoch: 1 });
const low = shard('low', { range: range('', 'm'), bytes: 600_000 });
const free = shard('up', { range: range('m', 't'), bytes: 600_000 });
const names = { upper: 'up', lower: 'low' };

const condition = (status: 'True' | 'False', reason: string, message: string) => ({
  type: 'Merging',
  status,
  reason,
  message,
  lastTransitionTime: '',
});

/** The upper shard once a merge was asked for. */
const asked = (phase?: MergePhase, over: Status = {}, spec: object = { mergeInto: 'low' }): DbShard =>
  shard(
    'up',
    {
      range: range('m', 't'),
      ...(phase !== undefined && { merge: { to: 'low', phase }, conditions: [condition('True', phase, 'it works')] }),
      ...over,
    },
    spec,
  );

describe('what is seen of a merge', () => {
  it('before the operator has seen it, whatever it said of an earlier one', () => {
    const old = asked(undefined, { observedGeneration: 1, conditions: [condition('False', 'Busy', 'old news')] });
    expect(mergeNews([low, old], names)).toEqual({
      type: 'goes-on',
      phase: 'Waiting',
      detail: 'the operator has not seen it yet',
    });
  });

  test.each<MergePhase>(['Waiting', 'Copying', 'Following', 'HandedOver', 'Open'])('while it is %s', (phase) => {
    expect(mergeNews([low, asked(phase)], names)).toEqual({ type: 'goes-on', phase, detail: 'it works' });
  });

  it('when it is over', () => {
    const all = [shard('low', { range: range('', 't') }), asked('Merged')];
    expect(mergeNews(all, names)).toEqual({ type: 'merged', text: 'low ["", "t")' });
    const early = [
      shard('low', { range: range('', 'm') }),
      asked('Merged', { range: { ...range('m', 'm'), epoch: 3 } }),
    ];
    expect(mergeNews(early, names)).toMatchObject({ type: 'goes-on', phase: 'Open' });
  });

  it('when it cannot begin', () => {
    const refused = asked(undefined, { conditions: [condition('False', 'NotNeighbours', 'name another')] });
    expect(mergeNews([low, refused], names)).toEqual({ type: 'refused', why: 'name another' });
  });

  it('when somebody takes it back, unless that is too late', () => {
    expect(mergeNews([low, asked('GivingUp', {}, {})], names)).toEqual({ type: 'given-up' });
    expect(mergeNews([low, asked('HandedOver', {}, {})], names)).toMatchObject({ type: 'goes-on' });
  });

  it('when the upper shard is gone', () => {
    expect(mergeNews([low], names)).toEqual({ type: 'gone' });
  });
});

test.each<[string, DbShard, string]>([
  ['is given up when status shows no merge any more', asked(undefined, {}, {}), 'given-up'],
  ['goes on until the lower shard has given up', asked('GivingUp', {}, {}), 'goes-on'],
  ['goes on until the operator has seen it', asked(undefined, { observedGeneration: 1 }, {}), 'goes-on'],
  ['is too late after the hand-over', asked('HandedOver', {}, {}), 'merged'],
])('a merge that is taken back %s', (_, upper, type) => {
  expect(cancelNews([low, upper], 'up').type).toBe(type);
});

test('the lower neighbour is the shard of the database that ends where the upper one begins', () => {
  const alien = shard('alien', { range: range('', 'm') }, { database: 'other' });
  const empty = shard('empty', { range: range('m', 'm') });
  expect(lowerNeighbour(free, [alien, empty, free, low])).toBe(low);
  expect(lowerNeighbour(low, [low, free])).toBeUndefined();
});

test.each<[string, DbShard, DbShard, RegExp | null]>([
  ['its lower neighbour', free, low, null],
  ['what it is being merged into already', asked('Copying'), low, null],
  ['a shard of another database', free, shard('low', {}, { database: 'x' }), /database x, not app/],
  ['one that goes', free, shard('low', { range: range('', 'm') }, {}, { deletionTimestamp: 'now' }), /being deleted/],
  [
    'one that is being split',
    free,
    shard('low', { range: range('', 'm'), split: { to: 'half', phase: 'Copying' } }),
    /low is being split \(Copying\): try again/,
  ],
  [
    'one that takes other keys over',
    free,
    shard('low', { range: range('', 'm'), merge: { from: 'other', phase: 'Following' } }),
    /low is being merged with other \(Following\)/,
  ],
  [
    'another one than it is to be merged into',
    asked(undefined, {}, { mergeInto: 'x' }),
    low,
    /merged with x \(asked for\)/,
  ],
  ['one without keys', free, shard('low', { range: range('c', 'c') }), /low serves no keys/],
  [
    'one that is not its neighbour',
    free,
    shard('low', { range: range('', 'c') }),
    /low \["", "c"\) does not end where up \["m", "t"\) begins; its lower neighbour is mid \["c", "m"\)/,
  ],
  [
    'one that would be split again',
    free,
    shard('low', { range: range('', 'm'), bytes: 600_000 }, { split: { above: '1M' } }),
    /both have 1200000 bytes, and low is split above 1M: raise/,
  ],
])('merging a shard into %s', (_, upper, lower, expected) => {
  const mid = shard('mid', { range: range('c', 'm') });
  const others = lower.status?.range?.end === 'c' && lower.status.range.start === '' ? [mid] : [];
  const why = objection(upper, lower, [upper, lower, ...others]);
  if (expected === null) expect(why).toBeNull();
  else expect(why).toMatch(expected);
});
