import { whyNotDeleted } from './deletion.ts';
import { dbShardEntry, judgeDbShard } from './plan.ts';
import type { ShardView } from './shard-view.ts';
import { shardView } from './testing.ts';

/** A range in few words. */
export const range = (start: string, end: string, epoch: number) => ({ start, end, epoch });
/** What `up` says from the hand-over to the release. */
export const handed = { to: 'low', start: 'm', end: 't' };

/** A shard below `m`. */
export const low = (over: Partial<ShardView> = {}): ShardView =>
  shardView('low', { range: range('', 'm', 1), ...over });
/** Its upper neighbour, which is to be merged into it. */
export const up = (over: Partial<ShardView> = {}): ShardView =>
  shardView('up', { range: range('m', 't', 1), mergeInto: 'low', ...over });
/** Their neighbour above, which has nothing to do with it. */
export const top = shardView('top', { range: range('t', '', 1) });

/** What the status of `up` shows while it is. */
export const shown = { givesTo: 'low' } as const;
/** `low` while it takes the keys over. */
export const taking = (phase: 'snapshot' | 'log' | 'open'): Partial<ShardView> => ({
  range: phase === 'open' ? range('', 't', 3) : range('', 'm', 2),
  takesFrom: 'up',
  merging: { from: 'up', phase, merge: true },
});
/** `up` after the hand-over. */
export const emptied: Partial<ShardView> = { ...shown, range: null, emptied: { at: 'm', epoch: 3 } };

/** A condition that is decided for a shard. */
export const conditionOf = (own: ShardView, all: readonly ShardView[], type: string) =>
  judgeDbShard(own, all).conditions.find((one) => one.type === type);

/** Why a shard is not deleted when that is asked for now. */
export const deleted = (own: ShardView, all: readonly ShardView[], more: Partial<ShardView> = {}) => {
  const leaving = { ...own, deleting: true, ...more };
  return whyNotDeleted(
    leaving,
    all.map((one) => (one.name === own.name ? leaving : one)),
  );
};

/** The document of a shard. */
export const entryOf = (own: ShardView, all: readonly ShardView[]) => {
  const set = { namespace: 'shop', name: own.name, log: null, members: [], primary: null, term: 1, conflict: null };
  return dbShardEntry(own, all, set);
};
