import { describe, expect, it, test } from 'vitest';
import { mergeOf } from './merge.ts';
import { judgeDbShard } from './plan.ts';
import type { ShardView } from './shard-view.ts';
import { splitOf } from './split.ts';
import { shardView } from './testing.ts';
import { conditionOf, deleted, entryOf, low, range, shown, top, up } from './testing-merge.ts';

describe('a merge that cannot begin', () => {
  const half = (over_: Partial<ShardView> = {}): ShardView =>
    shardView('half', { splitFrom: { shard: 'low', at: 'f' }, range: null, created: '2026-02-01T00:00:00Z', ...over_ });

  test.each<[string, readonly ShardView[], string, RegExp]>([
    [
      'with a shard that does not exist',
      [up()],
      'TargetMissing',
      /there is no DBShard low .* name the shard whose range/,
    ],
    ['with one that is being deleted', [low({ deleting: true }), up()], 'TargetMissing', /being deleted/],
    ['with one of another database', [low({ database: 'b' }), up()], 'OtherDatabase', /database b, not app/],
    [
      'with one that is not its neighbour',
      [low({ range: range('', 'c', 1) }), shardView('mid', { range: range('c', 'm', 1) }), up()],
      'NotNeighbours',
      /low \["", "c"\) does not end where up \["m", "t"\) begins: .* name mid/,
    ],
    [
      'with one whose upper neighbour is merged into it first',
      [low({ range: range('', 'c', 1) }), shardView('mid', { range: range('c', 'm', 1), mergeInto: 'low' }), up()],
      'NotNeighbours',
      /begins when mid is merged into low/,
    ],
    [
      'with its upper neighbour',
      [up({ mergeInto: 'top' }), top],
      'NotNeighbours',
      /top \["t", end\) does not end where/,
    ],
    [
      'with one that has no keys yet',
      [half({ name: 'low', splitFrom: { shard: 'x', at: null } }), up()],
      'TargetNotOpen',
      /begins when it does/,
    ],
    [
      'with one that has no keys any more',
      [low({ range: null, emptied: { at: 'c', epoch: 4 }, givesTo: 'first', wasMerged: true }), up()],
      'TargetNotOpen',
      /name first/,
    ],
    [
      'of one that has no keys yet itself',
      [low(), up({ range: null, splitFrom: { shard: 'low', at: null } })],
      'Busy',
      /up does not serve/,
    ],
    [
      'with one that is to be merged itself',
      [low({ mergeInto: 'first' }), up()],
      'TargetMerges',
      /low is to be merged into first/,
    ],
    [
      'with one that takes over other keys',
      [low({ takesFrom: 'other' }), up()],
      'Busy',
      /low is being merged with other: this merge begins when/,
    ],
    [
      'with one that gives its keys to another already',
      [low({ givesTo: 'other', mergeInto: null }), up()],
      'Busy',
      /low is being merged with other/,
    ],
    ['with one that is being split', [low(), half(), up()], 'Busy', /low is being split with half/],
    [
      'of one that is being split',
      [low(), up(), half({ splitFrom: { shard: 'up', at: 'p' } })],
      'Busy',
      /up is being split with half/,
    ],
    [
      'of a new half that has not told its other half yet that it serves',
      [low(), up({ splitFrom: { shard: 'low', at: 'm' }, intake: { from: 'low', phase: 'open' } })],
      'Busy',
      /up is a new half of another/,
    ],
  ])('%s is refused, says what to do, and changes nothing', (_, all, reason, message) => {
    const own = all.find(({ name }) => name === 'up') ?? top;
    const { conditions, hold, unready, status } = judgeDbShard(own, all);
    expect(conditions.find(({ type }) => type === 'Merging')).toMatchObject({
      status: false,
      reason,
      message: expect.stringMatching(message) as string,
    });
    expect(hold).toBeUndefined();
    expect(unready?.reason).not.toBe('Merging');
    expect(status).not.toHaveProperty('merge');
    for (const one of all) {
      expect(entryOf(one, all).mergeFrom).toBeNull();
      if (one !== own) expect(judgeDbShard(one, all).status).not.toMatchObject({ merge: { from: 'up' } });
    }
    expect(deleted(own, all)).toBeNull();
  });

  it('of one that takes over keys itself waits until that is over', () => {
    const all = [low(), up({ takesFrom: 'top' }), { ...top, mergeInto: 'up', givesTo: 'up' }];
    expect(mergeOf(low(), all)).toEqual({ type: 'none' });
    expect(mergeOf(all[1] ?? top, all)).toMatchObject({ phase: 'Waiting', from: 'top' });
  });

  it('with one that wants to be merged into it waits for a person: neither begins', () => {
    const all = [low({ mergeInto: 'up' }), up()];
    for (const own of all) expect(conditionOf(own, all, 'Merging')?.status).toBe(false);
  });

  it('since a split was asked for first does not hold that up; and a split that was asked for later waits', () => {
    const first = [low(), half(), up()];
    expect(splitOf(half(), first)).toMatchObject({ phase: 'Waiting' });
    const later = [low({ takesFrom: 'up' }), half(), up(shown)];
    expect(splitOf(half(), later)).toMatchObject({ reason: 'SourceBusy', message: /is being merged with up/ as never });
    expect(mergeOf(up(shown), later)).toMatchObject({ phase: 'Waiting' });
  });

  it('is given up for a split that has begun at the same time', () => {
    const begun = half({ intake: { from: 'low', phase: 'snapshot' } });
    const all = [low({ takesFrom: 'up' }), begun, up(shown)];
    expect(splitOf(begun, all)).toMatchObject({ phase: 'Copying' });
    expect(mergeOf(up(shown), all)).toMatchObject({ phase: 'GivingUp', message: /low is being split/ as never });
  });
});
