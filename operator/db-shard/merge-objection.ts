import type { Problem } from '../replica-set/plan.ts';
import { showRange } from './ranges.ts';
import { isDone, isOpen, type ShardView } from './shard-view.ts';
import { splitWith } from './split.ts';

const refused = (reason: string, message: string): Problem => ({ reason, message });

const retarget = 'take mergeInto back, and name';

const notThere = (upper: ShardView, lower: ShardView | undefined): Problem | null => {
  const name = upper.mergeInto ?? '';
  const neighbour = `the shard whose range ends where that of ${upper.name} begins`;
  if (lower === undefined) {
    return refused('TargetMissing', `there is no DBShard ${name} in this namespace: ${retarget} ${neighbour}`);
  }
  if (lower.deleting) return refused('TargetMissing', `${name} is being deleted: take mergeInto back`);
  if (lower.database === upper.database) return null;
  return refused(
    'OtherDatabase',
    `${name} belongs to database ${lower.database}, not ${upper.database}: ${retarget} ${neighbour}`,
  );
};

const notOpen = (upper: ShardView, lower: ShardView): Problem | null => {
  if (lower.emptied !== null) {
    const heir = lower.givesTo ?? lower.mergeInto ?? 'the shard that has them now';
    return refused('TargetNotOpen', `${lower.name} has no keys any more: ${retarget} ${heir}`);
  }
  if (!isOpen(lower)) {
    return refused('TargetNotOpen', `${lower.name} does not serve keys itself yet: this merge begins when it does`);
  }
  if (isOpen(upper)) return null;
  return refused('Busy', `${upper.name} does not serve its keys itself yet: this merge begins when it does`);
};

/** Why a shard cannot merge with another than it does: it is busy with this. */
const otherMerge = (shard: ShardView, partner: ShardView): string | null => {
  const others = [shard.merging?.from ?? null, shard.takesFrom, shard.givesTo];
  const other = others.find((name) => name !== null && name !== partner.name);
  return other === undefined ? null : `${shard.name} is being merged with ${other ?? ''}`;
};

const otherSplit = (shard: ShardView, all: readonly ShardView[], hasBegun: boolean): string | null => {
  const other = splitWith(shard, all);
  if (other === undefined || (hasBegun && other.intake === null && shard.handed === null)) return null;
  return isDone(shard) ? `${shard.name} is being split with ${other.name}` : `${shard.name} is a new half of another`;
};

const busy = (upper: ShardView, lower: ShardView, all: readonly ShardView[]): Problem | null => {
  const hasBegun = upper.givesTo === lower.name;
  const why =
    otherMerge(lower, upper) ??
    otherMerge(upper, lower) ??
    otherSplit(lower, all, hasBegun) ??
    otherSplit(upper, all, hasBegun);
  return why === null ? null : refused('Busy', `${why}: this merge begins when that is over`);
};

/** One after the other: keys that are to go on at once would be copied twice. */
const chained = (upper: ShardView, lower: ShardView): Problem | null => {
  if (lower.mergeInto === null || upper.givesTo === lower.name) return null;
  return refused(
    'TargetMerges',
    `${lower.name} is to be merged into ${lower.mergeInto}: ${retarget} ${lower.mergeInto} when that is over, or take mergeInto of ${lower.name} back`,
  );
};

const apart = (upper: ShardView, lower: ShardView, all: readonly ShardView[]): Problem | null => {
  const [above, below] = [upper.range, lower.range];
  if (above === null || below === null || (below.end !== '' && below.end === above.start)) return null;
  const ranges = `${lower.name} ${showRange(below)} does not end where ${upper.name} ${showRange(above)} begins`;
  const neighbour = all.find(
    (one) =>
      one.database === upper.database && one.range !== null && one.range.end === above.start && one.range.end !== '',
  );
  if (neighbour === undefined) return refused('NotNeighbours', `${ranges}: take mergeInto back`);
  const isOnItsWay = neighbour.mergeInto === lower.name;
  const advice = isOnItsWay
    ? `this merge begins when ${neighbour.name} is merged into ${lower.name}`
    : `${retarget} ${neighbour.name}`;
  return refused('NotNeighbours', `${ranges}: ${advice}`);
};

/** Why a shard cannot give its keys to the one that it names; null: it can. Pure. */
export const objectionToMerge = (upper: ShardView, all: readonly ShardView[]): Problem | null => {
  const lower = all.find(({ name }) => name === upper.mergeInto);
  const missing = notThere(upper, lower);
  if (missing !== null || lower === undefined) return missing;
  return notOpen(upper, lower) ?? chained(upper, lower) ?? busy(upper, lower, all) ?? apart(upper, lower, all);
};
