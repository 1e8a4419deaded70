import { unsplit, type DbShardEntry } from '../../contract/directory.ts';
import { durationMs } from '../../crds/duration.ts';
import type { DbShard } from '../kinds.ts';
import type { SetEntry, SetObserved } from '../replica-set/plan.ts';
import { judgeRange, type RangeClaim } from './ranges.ts';

const claimOf = (shard: DbShard): RangeClaim => ({
  name: shard.metadata.name,
  database: shard.spec.database,
  start: shard.spec.range.start,
  end: shard.spec.range.end,
  created: shard.metadata.creationTimestamp ?? '',
});

/** Whether a shard's range fits with the others of its database. Shards that are being deleted do not count. */
export const judgeDbShard = (shard: DbShard, all: readonly DbShard[]): SetObserved['judgement'] => {
  const alive = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const { problems, conflict } = judgeRange(claimOf(shard), alive.map(claimOf));
  const overlaps = problems.some((problem) => problem.startsWith('overlaps'));
  const reason = problems.length === 0 ? 'RangesFit' : overlaps ? 'Overlap' : 'Gap';
  const condition = { type: 'RangeConsistent', status: problems.length === 0, reason, message: problems.join('; ') };
  return { conditions: [condition], conflict };
};

/** When to give up on replicas of a shard. */
export const failoverOf = ({ spec }: DbShard) => ({
  suspectAfterMs: durationMs(spec.failover.suspectAfter),
  replaceAfterMs: durationMs(spec.failover.replaceAfter),
});

/** The routing document of a shard. */
export const dbShardEntry = ({ spec }: DbShard, entry: SetEntry): DbShardEntry => ({
  kind: 'db',
  ...entry,
  members: [...entry.members],
  database: spec.database,
  start: spec.range.start,
  end: spec.range.end,
  ...unsplit,
});
