import { describe, expect, it, test } from 'vitest';
import { whyNotDeleted } from './deletion.ts';
import { mergeFrom, mergeOf, mergeStatus } from './merge.ts';
import { judgeDbShard } from './plan.ts';
import type { ShardView } from './shard-view.ts';
import { splitOf } from './split.ts';
import { shardView } from './testing.ts';
import { conditionOf, deleted, emptied, entryOf, handed, low, range, shown, taking, top, up } from './testing-merge.ts';

/** The three shards in each phase of a merge. */
const phases = {
  Waiting: [low(), up(), top],
  Copying: [low(taking('snapshot')), up(shown), top],
  Following: [low(taking('log')), up(shown), top],
  HandedOver: [low(taking('log')), up({ ...emptied, handed }), top],
  Open: [low(taking('open')), up({ ...emptied, handed }), top],
} as const satisfies Readonly<Record<string, readonly ShardView[]>>;

const over = [low({ range: range('', 't', 3) }), up({ ...emptied, wasMerged: true, transactions: 0 }), top] as const;

describe.each(Object.entries(phases))('a merge that is %s', (phase, all) => {
  const [lower, upper] = all;
  const isDecided = phase === 'HandedOver' || phase === 'Open';

  it('shows on both shards, with the keys that change hands', () => {
    const keys = { start: 'm', end: 't' };
    expect(judgeDbShard(lower, all).status).toMatchObject({ merge: { from: 'up', phase, keys } });
    expect(judgeDbShard(upper, all).status).toMatchObject({ merge: { to: 'low', phase, keys } });
    for (const own of [lower, upper]) {
      const message = expect.stringContaining('up') as string;
      expect(conditionOf(own, all, 'Merging')).toMatchObject({ status: true, reason: phase, message });
      expect(conditionOf(own, all, 'Splitting')).toBeUndefined();
    }
    expect(mergeOf(top, all)).toEqual({ type: 'none' });
  });

  it('is no gap and no overlap', () => {
    for (const own of all) {
      expect(conditionOf(own, all, 'RangeConsistent')?.status).toBe(true);
      expect(judgeDbShard(own, all).conflict).toBeNull();
    }
  });

  it('leaves the lower shard Ready, and the upper one until it has given its keys away', () => {
    expect(judgeDbShard(lower, all).unready).toBeUndefined();
    expect(judgeDbShard(upper, all).unready?.reason).toBe(isDecided ? 'Merging' : undefined);
  });

  it('is told to the lower shard, once both statuses show it, until it is over', () => {
    expect(entryOf(lower, all).mergeFrom).toEqual(phase === 'Waiting' ? null : { shard: 'up' });
    expect(entryOf(upper, all).mergeFrom).toBeNull();
    expect(entryOf(upper, all)).toMatchObject(
      isDecided ? { start: 'm', end: 'm', epoch: 3, serves: false } : { start: 'm', end: 't', serves: true },
    );
  });

  it('holds a deletion of either shard, before the hand-over until the lower one has given up', () => {
    if (phase === 'Waiting') return;
    const reasons = isDecided ? ['KeysUnderWay', 'KeysGivenAway'] : ['MergeTakenBack', 'MergeTakenBack'];
    expect([deleted(lower, all)?.reason, deleted(upper, all)?.reason]).toEqual(reasons);
    expect(deleted(top, all)).toBeNull();
  });

  it('is no time to split either shard', () => {
    if (phase === 'Waiting') return;
    for (const shard of ['low', 'up']) {
      const half = shardView('half', { splitFrom: { shard, at: null }, range: null });
      const split = splitOf(half, [...all, half]);
      expect(split).toMatchObject({ type: 'refused' });
    }
  });
});

describe('a merge', () => {
  it('begins only when both statuses show it, so that another operator knows of it', () => {
    const half = [low({ takesFrom: 'up' }), up(), top];
    expect(mergeFrom(low(), [low(), up(shown), top])).toBeNull();
    expect(mergeFrom(low({ takesFrom: 'up' }), half)).toBeNull();
    const both = [low({ takesFrom: 'up' }), up(shown), top];
    expect(mergeFrom(low({ takesFrom: 'up' }), both)).toEqual({ shard: 'up' });
  });

  it('says what it waits for', () => {
    const waitsFor = 'up has no primary';
    const all = [low({ ...taking('log'), waitsFor }), up(shown), top];
    expect(mergeOf(up(shown), all)).toMatchObject({
      message: 'low follows the log of up, and asks for its keys when it is close behind; waits: up has no primary',
    });
    const before = [low({ takesFrom: 'up', waitsFor }), up(shown), top];
    expect(mergeOf(up(shown), before)).toMatchObject({
      phase: 'Waiting',
      message: /; waits: up has no primary$/ as never,
    });
  });

  it('that is over says so on the upper shard, and that it can be deleted', () => {
    const [lower, upper] = over;
    expect(conditionOf(lower, over, 'Merging')).toBeUndefined();
    expect(judgeDbShard(lower, over).status).toEqual({ range: range('', 't', 3) });
    expect(conditionOf(upper, over, 'Merged')).toMatchObject({
      status: true,
      message: 'its keys are those of low now; it can be deleted',
    });
    expect(judgeDbShard(upper, over).status).toEqual({
      range: range('m', 'm', 3),
      merge: { to: 'low', phase: 'Merged' },
    });
    for (const own of over) expect(conditionOf(own, over, 'RangeConsistent')?.status).toBe(true);
    expect(judgeDbShard(upper, over).unready?.reason).toBe('Merged');
    expect(entryOf(lower, over).mergeFrom).toBeNull();
    expect([deleted(lower, over), deleted(upper, over)]).toEqual([null, null]);
  });

  it('that is over stays so when the lower shard is split, deleted or made anew', () => {
    const [, upper, above] = over;
    const later = [
      [low({ range: range('', 'f', 4) }), shardView('next', { range: range('f', 't', 4) }), upper, above],
      [upper, above],
      [low({ range: range('', 't', 0) }), upper, above],
    ];
    for (const all of later) {
      expect(mergeOf(upper, all)).toEqual({ type: 'over', into: 'low' });
      expect(deleted(upper, all)).toBeNull();
    }
  });

  it('is over for an upper shard that still says that it has given its keys to one that serves them', () => {
    const all = [over[0], up({ ...emptied, handed, transactions: 0 }), top];
    expect(mergeOf(up({ ...emptied, handed }), all)).toEqual({ type: 'over', into: 'low' });
  });

  it('is told by the lower shard alone when the upper one is not heard', () => {
    const all = [over[0], up(shown), top];
    for (const own of all) expect(conditionOf(own, all, 'RangeConsistent')?.status).toBe(true);
    expect(mergeOf(up(shown), all)).toMatchObject({ phase: 'Open' });
    expect(deleted(up(shown), all)?.reason).toBe('KeysGivenAway');
  });

  test.each<[string, number | null, string | null]>([
    ['when no transaction can ask it', 0, null],
    ['not while transactions can ask it', 2, 'TransactionsOpen'],
    ['not while that is not known', null, 'TransactionsOpen'],
  ])('leaves an upper shard that may be deleted %s', (_, transactions, reason) => {
    const upper = { ...over[1], transactions };
    const all = [over[0], upper, top];
    expect(deleted(upper, all)?.reason ?? null).toBe(reason);
    expect(deleted(upper, all, { mayDeleteKeys: true })).toBeNull();
    if (reason !== null) {
      expect(conditionOf(upper, all, 'Merged')?.message).toMatch(/can be deleted when no transaction .* can ask it/);
    }
  });

  it('makes keys that came after a deletion was asked for a thing to confirm', () => {
    const [lower] = over;
    const held = deleted(lower, over, { wasHeld: true });
    expect(held).toMatchObject({
      reason: 'KeysTakenOver',
      message: expect.stringContaining('delete-keys=true') as string,
    });
    expect(deleted(lower, over, { wasHeld: true, mayDeleteKeys: true })).toBeNull();
  });
});

describe('a merge that is taken back', () => {
  const takenBack: readonly [string, ShardView, ShardView][] = [
    ['by mergeInto', low(taking('log')), up({ ...shown, mergeInto: null })],
    ['by deleting the upper shard', low(taking('log')), up({ ...shown, deleting: true })],
    ['by deleting the lower shard', low({ ...taking('log'), deleting: true }), up(shown)],
    ['before anything was heard of it', low({ takesFrom: 'up' }), up({ ...shown, mergeInto: null })],
    ['which the upper status alone shows', low(), up({ ...shown, mergeInto: null })],
    ['which the lower shard alone tells', low(taking('log')), up({ mergeInto: null })],
  ];

  test.each(takenBack)('%s shows until the lower shard has given up, and holds deletions', (_, lower, upper) => {
    const all = [lower, upper, top];
    for (const own of [lower, upper]) {
      expect(mergeStatus(own, mergeOf(own, all))).toMatchObject({ phase: 'GivingUp' });
      expect(deleted(own, all)?.reason).toBe('MergeTakenBack');
      expect(deleted(own, all, { mayDeleteKeys: true })).toBeNull();
    }
    expect(mergeFrom(lower, all)).toBeNull();
  });

  test.each(takenBack)('%s is nothing any more when it has', (_, lower, upper) => {
    const all = [{ ...lower, merging: null, hasGivenUp: true }, upper, top];
    for (const own of all.slice(0, 2)) {
      expect(mergeOf(own, all).type).not.toBe('goes-on');
      expect(deleted(own, all)).toBeNull();
    }
  });

  it('too late goes on', () => {
    const upper = up({ ...emptied, handed, mergeInto: null, deleting: true });
    const all = [low(taking('log')), upper, top];
    expect(mergeOf(upper, all)).toMatchObject({ phase: 'HandedOver' });
    expect(mergeFrom(all[0] ?? upper, all)).toEqual({ shard: 'up' });
    expect(whyNotDeleted(upper, all)?.reason).toBe('KeysGivenAway');
  });

  it('and is wanted again goes on where it was', () => {
    const all = [low(taking('log')), up(shown), top];
    expect(mergeFrom(low(taking('log')), all)).toEqual({ shard: 'up' });
  });

  it('and whose upper shard is gone ends when the lower one says so', () => {
    const lower = low(taking('log'));
    expect(mergeOf(lower, [lower])).toMatchObject({ phase: 'GivingUp', message: /up, .*is gone/ as never });
    expect(mergeFrom(lower, [lower])).toBeNull();
    const done = low({ takesFrom: 'up', hasGivenUp: true });
    expect(mergeOf(done, [done])).toEqual({ type: 'none' });
  });
});
