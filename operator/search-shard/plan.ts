import type { SearchShardEntry } from '../../contract/directory.ts';
import type { SearchShard } from '../kinds.ts';
import type { SetEntry, SetObserved } from '../replica-set/plan.ts';
import { judgeOrdinal, type OrdinalClaim } from './ordinals.ts';

const claimOf = ({ metadata, spec }: SearchShard): OrdinalClaim => ({
  name: metadata.name,
  index: spec.index,
  ordinal: spec.ordinal,
  of: spec.of,
  created: metadata.creationTimestamp ?? '',
});

/** Whether a shard fits with the others of its index. Shards that are being deleted do not count. */
export const judgeSearchShard = (shard: SearchShard, all: readonly SearchShard[]): SetObserved['judgement'] => {
  const alive = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const { problems, conflict } = judgeOrdinal(claimOf(shard), alive.map(claimOf));
  const reason = problems.length === 0 ? 'IndexComplete' : conflict === null ? 'IndexIncomplete' : 'OrdinalTaken';
  const condition = { type: 'IndexConsistent', status: problems.length === 0, reason, message: problems.join('; ') };
  return { conditions: [condition], conflict };
};

/** The routing document of a shard. */
export const searchShardEntry = ({ spec }: SearchShard, entry: SetEntry): SearchShardEntry => ({
  kind: 'search',
  ...entry,
  members: [...entry.members],
  index: spec.index,
  ordinal: spec.ordinal,
  of: spec.of,
  analyzer: spec.analysis.analyzer,
});
