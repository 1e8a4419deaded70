import type { DbShardStatus, SplitPhase } from '../../crds/db-shard.ts';
import type { Problem } from '../replica-set/plan.ts';
import { isInside, showRange } from './ranges.ts';
import { isDone, isMerging, isOpen, type ShardView } from './shard-view.ts';

/** A split that a shard takes part in. */
export type Split =
  | { readonly type: 'none' }
  /** It cannot begin; nothing is made for this shard until that changes. */
  | ({ readonly type: 'refused' } & Problem)
  | {
      readonly type: 'goes-on';
      readonly phase: SplitPhase;
      readonly source: ShardView;
      readonly target: ShardView;
      /** For people: how far it is, and what is in its way. */
      readonly message: string;
    };

const find = (name: string | undefined, all: readonly ShardView[]): ShardView | undefined =>
  all.find((shard) => shard.name === name);

const refused = (reason: string, message: string): Problem => ({ reason, message });

/** The source has given its keys to this shard: there is only forward. */
export const isHandedTo = ({ name }: ShardView, source: ShardView | undefined): boolean => source?.handed?.to === name;

const objectionToKey = (at: string | null, source: ShardView): Problem | null => {
  if (source.range === null || at === null || isInside(at, source.range)) return null;
  const { start, end } = source.range;
  const limits = end === '' ? `above "${start}"` : `above "${start}" and below "${end}"`;
  const advice = `delete this shard and make one with splitFrom.at ${limits}`;
  return refused('KeyOutside', `"${at}" is not inside of ${source.name} ${showRange(source.range)}: ${advice}`);
};

const notOpen = ({ name, emptied, range }: ShardView): Problem | null => {
  if (emptied !== null) {
    return refused('SourceMissing', `${name} has no keys any more: delete this shard, and split the one that has them`);
  }
  if (range !== null) return null;
  return refused('SourceNotOpen', `${name} does not serve keys itself yet: this split begins when it does`);
};

/** Why a shard cannot take over keys; null: it can, or has. Whether another one goes first is not asked here. */
const objection = (target: ShardView, all: readonly ShardView[]): Problem | null => {
  const { shard: name = '', at = null } = target.splitFrom ?? {};
  const source = find(name, all);
  if (source === undefined || source.deleting) {
    const why = source === undefined ? `there is no DBShard ${name} in this namespace` : `${name} is being deleted`;
    return refused('SourceMissing', `${why}: delete this shard and make one whose splitFrom.shard exists`);
  }
  if (source === target) return refused('SplitsItself', 'splitFrom.shard is this shard itself: delete it');
  if (source.database !== target.database) {
    const advice = `delete this shard and make one in database ${source.database}`;
    return refused(
      'OtherDatabase',
      `${name} belongs to database ${source.database}, not ${target.database}: ${advice}`,
    );
  }
  return notOpen(source) ?? objectionToKey(at, source);
};

/** Shards that want the keys of one, who goes first first. */
const takers = (source: ShardView, all: readonly ShardView[]): ShardView[] => {
  const turn = (shard: ShardView): string => {
    const begun = isHandedTo(shard, source) ? 0 : shard.intake === null ? 2 : 1;
    return `${begun} ${shard.created} ${shard.name}`;
  };
  return all
    .filter((shard) => shard.splitFrom?.shard === source.name && !isDone(shard))
    .filter((shard) => isHandedTo(shard, source) || (!shard.deleting && objection(shard, all) === null))
    .sort((a, b) => (turn(a) < turn(b) ? -1 : 1));
};

const phaseOf = (target: ShardView, source: ShardView): SplitPhase => {
  if (isOpen(target)) return 'Open';
  if (isHandedTo(target, source)) return 'HandedOver';
  if (target.intake?.phase === 'snapshot') return 'Copying';
  return target.intake?.phase === 'log' ? 'Following' : 'Waiting';
};

/** In tenths: a message that changes all the time would be written all the time. */
const copied = ({ rows }: ShardView, source: ShardView): string => {
  if (rows === null || source.rows === null || source.rows === 0) return '';
  return `, about ${Math.min(10, Math.floor((10 * rows) / source.rows)) * 10} % so far`;
};

const progress = (phase: SplitPhase, target: ShardView, source: ShardView): string => {
  const keys = source.handed ?? target.range;
  const range = keys === null ? 'the keys' : showRange(keys);
  switch (phase) {
    case 'Waiting':
      return `${target.name} is about to copy the keys of ${source.name}`;
    case 'Copying':
      return `${target.name} copies all keys of ${source.name}${copied(target, source)}`;
    case 'Following':
      return `${target.name} follows the log of ${source.name}, and asks for the keys when it is close behind`;
    case 'HandedOver':
      return `${source.name} has given ${range} away; ${target.name} serves it once it has the last entries`;
    default:
      return `${target.name} serves ${range}; ${source.name} may remove it when it has been told`;
  }
};

const goesOn = (target: ShardView, source: ShardView): Split => {
  const phase = phaseOf(target, source);
  const problem = target.intake?.problem;
  const message = progress(phase, target, source) + (problem === undefined ? '' : `; waits: ${problem}`);
  return { type: 'goes-on', phase, source, target, message };
};

const partnerOf = ({ givesTo, takesFrom, merging }: ShardView): string => givesTo ?? takesFrom ?? merging?.from ?? '';

/** A split that has not come to the hand-over: whether it may go on. */
const begin = (own: ShardView, source: ShardView, all: readonly ShardView[]): Split => {
  if (isMerging(source) && own.intake === null) {
    const message = `${source.name} is being merged with ${partnerOf(source)}: this split begins when that is over`;
    return { type: 'refused', reason: 'SourceBusy', message };
  }
  const [first] = takers(source, all);
  const other = source.handed?.to ?? first?.name ?? own.name;
  if (other === own.name) return goesOn(own, source);
  const message = `${source.name} is being split with ${other}: this split begins when that one is over`;
  return { type: 'refused', reason: 'SourceBusy', message };
};

const asTarget = (own: ShardView, all: readonly ShardView[]): Split => {
  const source = find(own.splitFrom?.shard, all);
  const isDecided = isOpen(own) || isHandedTo(own, source);
  const why = isDecided ? null : objection(own, all);
  if (why !== null) return { type: 'refused', ...why };
  // it is open, and nobody is left to be told
  if (source === undefined) return { type: 'none' };
  return isDecided ? goesOn(own, source) : begin(own, source, all);
};

/** The new half of a split that a shard takes part in, itself or as the one that is split. */
export const splitWith = (own: ShardView, all: readonly ShardView[]): ShardView | undefined =>
  isDone(own) ? takers(own, all)[0] : own;

/** The split that a shard takes part in, as the new half or as the one that is split. Pure. */
export const splitOf = (own: ShardView, all: readonly ShardView[]): Split => {
  if (!isDone(own)) return asTarget(own, all);
  const [target] = takers(own, all);
  return target === undefined ? { type: 'none' } : goesOn(target, own);
};

/** A split as status shows it. */
export const splitStatus = (own: ShardView, split: Split): DbShardStatus['split'] => {
  if (split.type !== 'goes-on') return undefined;
  const { phase, source, target } = split;
  const keys = source.handed ?? target.range;
  return {
    ...(own.name === target.name ? { from: source.name } : { to: target.name }),
    phase,
    ...(keys !== null && { keys: { start: keys.start, end: keys.end } }),
  };
};
