import type { DbShardEntry } from '../../contract/directory.ts';
import { durationMs } from '../../crds/duration.ts';
import type { DbShard } from '../kinds.ts';
import type { Judgement, Problem, SetEntry } from '../replica-set/plan.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import { claimOf, judgeRange } from './ranges.ts';
import { isOpen, loggedRange, type ShardView } from './shard-view.ts';
import { whyNotDeleted } from './deletion.ts';
import { mergeFrom, mergeOf, mergeStatus, type Merge } from './merge.ts';
import { splitOf, splitStatus, type Split } from './split.ts';

/** Shards that are being deleted do not count, unless their deletion is held up. */
const staying = (all: readonly ShardView[]): ShardView[] =>
  all.filter((shard) => !shard.deleting || whyNotDeleted(shard, all) !== null);

interface Verdict {
  readonly condition: DesiredCondition;
  readonly conflict: string | null;
}

/** Whether a shard's range fits with the others of its database. */
const judgeRanges = (own: ShardView, all: readonly ShardView[]): Verdict => {
  const type = 'RangeConsistent';
  const [claim] = claimOf(own, all);
  if (claim === undefined) {
    const [reason, message] =
      own.emptied === null ? ['Splitting', 'it serves no keys yet'] : ['Merged', 'it serves no keys any more'];
    return { condition: { type, status: true, reason, message }, conflict: null };
  }
  const { problems, moving, conflict } = judgeRange(
    claim,
    staying(all).flatMap((shard) => claimOf(shard, all)),
  );
  if (problems.length === 0) {
    const merges = all.some(({ database, emptied, handed }) => database === own.database && emptied && handed);
    const reason = moving.length === 0 ? 'RangesFit' : merges ? 'Merging' : 'Splitting';
    return { condition: { type, status: true, reason, message: moving.join('; ') }, conflict };
  }
  const reason = problems.some((problem) => problem.startsWith('overlaps')) ? 'Overlap' : 'Gap';
  return { condition: { type, status: false, reason, message: problems.join('; ') }, conflict };
};

const splitConditions = (split: Split): DesiredCondition[] => {
  if (split.type === 'none') return [];
  const [status, reason] = split.type === 'refused' ? [false, split.reason] : [true, split.phase];
  return [{ type: 'Splitting', status, reason, message: split.message }];
};

const mayGo = ({ transactions }: ShardView): string =>
  transactions === 0
    ? 'it can be deleted'
    : 'it can be deleted when no transaction over several shards can ask it any more';

const mergeConditions = (own: ShardView, merge: Merge): DesiredCondition[] => {
  if (merge.type === 'none') return [];
  if (merge.type === 'over') {
    const message = `its keys are those of ${merge.into} now; ${mayGo(own)}`;
    return [{ type: 'Merged', status: true, reason: 'Merged', message }];
  }
  const [status, reason] = merge.type === 'refused' ? [false, merge.reason] : [true, merge.phase];
  return [{ type: 'Merging', status, reason, message: merge.message }];
};

/** Why a shard does not serve, though nothing is wrong with it. */
const unreadyOf = (own: ShardView, split: Split, merge: Merge): Problem | null => {
  if (split.type === 'goes-on' && !isOpen(own)) return { reason: 'TakingOver', message: split.message };
  if (own.emptied === null) return null;
  if (merge.type === 'over') return { reason: 'Merged', message: `its keys are those of ${merge.into} now` };
  return { reason: 'Merging', message: merge.type === 'none' ? 'its keys were given away' : merge.message };
};

const deletionConditions = (own: ShardView, all: readonly ShardView[]): DesiredCondition[] => {
  const why = own.deleting ? whyNotDeleted(own, all) : null;
  return why === null ? [] : [{ type: 'DeletionHeld', status: true, ...why }];
};

/** All that is decided about a shard's range and its split. `all`: the shards of its namespace. Pure. */
export const judgeDbShard = (own: ShardView, all: readonly ShardView[]): Judgement => {
  const { condition, conflict } = judgeRanges(own, all);
  const [split, merge] = [splitOf(own, all), mergeOf(own, all)];
  const unready = unreadyOf(own, split, merge);
  return {
    conditions: [condition, ...splitConditions(split), ...mergeConditions(own, merge), ...deletionConditions(own, all)],
    conflict,
    ...(split.type === 'refused' && { hold: { reason: split.reason, message: split.message } }),
    ...(unready !== null && { unready }),
    status: statusOf(own, split, merge),
  };
};

const statusOf = (own: ShardView, split: Split, merge: Merge) => {
  const range = loggedRange(own);
  const [splits, merges] = [splitStatus(own, split), mergeStatus(own, merge)];
  return {
    ...(range !== null && { range: { ...range } }),
    ...(splits !== undefined && { split: splits }),
    ...(merges !== undefined && { merge: merges }),
  };
};

/** When to give up on replicas of a shard. */
export const failoverOf = ({ spec }: DbShard) => ({
  suspectAfterMs: durationMs(spec.failover.suspectAfter),
  replaceAfterMs: durationMs(spec.failover.replaceAfter),
});

/** Bounds mean nothing while it serves no keys. */
const published = (shard: ShardView) => {
  const range = loggedRange(shard);
  if (range !== null) return range;
  const at = shard.splitFrom?.at ?? '';
  return { start: at, end: at, epoch: 0 };
};

/** The routing document of a shard. `all`: the shards of its namespace. */
export const dbShardEntry = (shard: ShardView, all: readonly ShardView[], entry: SetEntry): DbShardEntry => ({
  kind: 'db',
  ...entry,
  members: [...entry.members],
  database: shard.database,
  ...published(shard),
  serves: shard.range !== null,
  splitFrom: shard.splitFrom,
  mergeFrom: mergeFrom(shard, all),
});
