import type { DbShardEntry } from '../../contract/directory.ts';
import { durationMs } from '../../crds/duration.ts';
import type { DbShard } from '../kinds.ts';
import type { Judgement, SetEntry } from '../replica-set/plan.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import { claimOf, judgeRange } from './ranges.ts';
import { isOpen, type ShardView } from './shard-view.ts';
import { splitOf, splitStatus, whyNotDeleted, type Split } from './split.ts';

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
    return { condition: { type, status: true, reason: 'Splitting', message: 'it serves no keys yet' }, conflict: null };
  }
  const { problems, moving, conflict } = judgeRange(
    claim,
    staying(all).flatMap((shard) => claimOf(shard, all)),
  );
  if (problems.length === 0) {
    const reason = moving.length === 0 ? 'RangesFit' : 'Splitting';
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

const deletionConditions = (own: ShardView, all: readonly ShardView[]): DesiredCondition[] => {
  const why = own.deleting ? whyNotDeleted(own, all) : null;
  return why === null ? [] : [{ type: 'DeletionHeld', status: true, ...why }];
};

/** All that is decided about a shard's range and its split. `all`: the shards of its namespace. Pure. */
export const judgeDbShard = (own: ShardView, all: readonly ShardView[]): Judgement => {
  const { condition, conflict } = judgeRanges(own, all);
  const split = splitOf(own, all);
  const takingOver = split.type === 'goes-on' && !isOpen(own);
  const status = splitStatus(own, split);
  return {
    conditions: [condition, ...splitConditions(split), ...deletionConditions(own, all)],
    conflict,
    ...(split.type === 'refused' && { hold: { reason: split.reason, message: split.message } }),
    ...(takingOver && { unready: { reason: 'TakingOver', message: split.message } }),
    status: {
      ...(own.range !== null && { range: { ...own.range } }),
      ...(status !== undefined && { split: status }),
    },
  };
};

/** When to give up on replicas of a shard. */
export const failoverOf = ({ spec }: DbShard) => ({
  suspectAfterMs: durationMs(spec.failover.suspectAfter),
  replaceAfterMs: durationMs(spec.failover.replaceAfter),
});

/** Bounds mean nothing while it serves no keys. */
const published = ({ range, splitFrom }: ShardView) => {
  if (range !== null) return range;
  const at = splitFrom?.at ?? '';
  return { start: at, end: at, epoch: 0 };
};

/** The routing document of a shard. */
export const dbShardEntry = (shard: ShardView, entry: SetEntry): DbShardEntry => ({
  kind: 'db',
  ...entry,
  members: [...entry.members],
  database: shard.database,
  ...published(shard),
  serves: shard.range !== null,
  splitFrom: shard.splitFrom,
  mergeFrom: null,
});
