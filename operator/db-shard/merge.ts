import type { DbShardStatus, MergePhase } from '../../crds/db-shard.ts';
import type { Problem } from '../replica-set/plan.ts';
import { objectionToMerge } from './merge-objection.ts';
import type { KeyRange } from './known.ts';
import { covers, showRange } from './ranges.ts';
import type { ShardView } from './shard-view.ts';

type Keys = Pick<KeyRange, 'start' | 'end'>;

/** A merge that a shard takes part in. */
export type Merge =
  | { readonly type: 'none' }
  /** It cannot begin; nothing changes for either shard. */
  | ({ readonly type: 'refused' } & Problem)
  | {
      readonly type: 'goes-on';
      readonly phase: Exclude<MergePhase, 'Merged'>;
      /** Name of the shard that gives all of its keys away; there may be no such shard any more. */
      readonly from: string;
      readonly lower: ShardView;
      /** The keys, as far as they are known. */
      readonly keys: Keys | null;
      /** For people: how far it is, and what is in its way. */
      readonly message: string;
    }
  /** All keys of this shard are another's. */
  | { readonly type: 'over'; readonly into: string };

type GoesOn = Extract<Merge, { type: 'goes-on' }>;
type Phase = GoesOn['phase'];

const none: Merge = { type: 'none' };

const find = (name: string | null, all: readonly ShardView[]): ShardView | undefined =>
  all.find((shard) => shard.name === name);

const progress = (phase: Phase, upper: ShardView, lower: ShardView, keys: Keys | null): string => {
  const range = keys === null ? 'the keys' : showRange(keys);
  switch (phase) {
    case 'Waiting':
      return `${lower.name} is about to copy the keys of ${upper.name}`;
    case 'Copying':
      return `${lower.name} copies all keys of ${upper.name}`;
    case 'Following':
      return `${lower.name} follows the log of ${upper.name}, and asks for its keys when it is close behind`;
    case 'HandedOver':
      return `${upper.name} has given ${range} away; ${lower.name} serves it once it has the last entries`;
    case 'Open':
      return `${lower.name} serves ${range}; ${upper.name} has to be told`;
    default:
      return `${lower.name} has to say that it has given up: ${upper.name} keeps its keys then`;
  }
};

const goesOn = (phase: Phase, upper: ShardView, lower: ShardView, why?: string): GoesOn => {
  const { start, end } = upper.handed ?? upper.range ?? {};
  const keys = start === undefined || end === undefined ? null : { start, end };
  const message = [
    progress(phase, upper, lower, keys),
    ...(why === undefined ? [] : [why]),
    ...(lower.waitsFor === null ? [] : [`waits: ${lower.waitsFor}`]),
  ].join('; ');
  return { type: 'goes-on', phase, from: upper.name, lower, keys, message };
};

/** The lower shard has the keys, whatever is known of the upper one: of two that claim the same the higher epoch is right. */
const hasTaken = (upper: ShardView, lower: ShardView): boolean => {
  if (lower.range === null) return false;
  if (upper.emptied !== null) return lower.range.epoch >= upper.emptied.epoch;
  return upper.range !== null && lower.range.epoch > upper.range.epoch && covers(lower.range, upper.range.start);
};

const takes = (lower: ShardView, upper: ShardView): boolean => lower.merging?.from === upper.name;

const isOpening = (lower: ShardView, upper: ShardView): boolean =>
  takes(lower, upper) && lower.merging?.phase === 'open';

/** All keys of a shard were given away, and there is nobody left who would ask it for something. */
const over = (upper: ShardView, lower: ShardView | undefined): Merge => {
  const into = upper.handed?.to ?? upper.givesTo ?? upper.mergeInto ?? lower?.name ?? 'another shard';
  return { type: 'over', into };
};

/** After the hand-over: there is only forward, whatever is wished. */
const decided = (upper: ShardView, lower: ShardView | undefined): Merge | null => {
  const isEmptied = upper.emptied !== null;
  if (lower === undefined || upper.wasMerged) return isEmptied ? over(upper, lower) : null;
  const isTaken = hasTaken(upper, lower);
  if (isOpening(lower, upper) || (isTaken && !isEmptied)) return goesOn('Open', upper, lower);
  if (!isEmptied) return null;
  return isTaken ? over(upper, lower) : goesOn('HandedOver', upper, lower);
};

/** It was shown, or the lower shard says that it has begun: that one has to give it up before it counts for nothing. */
const partner = (upper: ShardView, all: readonly ShardView[]): ShardView | undefined =>
  find((upper.emptied && upper.handed?.to) ?? upper.givesTo, all) ??
  all.find((shard) => takes(shard, upper) || shard.takesFrom === upper.name);

const wish = (upper: ShardView, all: readonly ShardView[]): Merge => {
  if (upper.mergeInto === null || upper.deleting) return none;
  const why = objectionToMerge(upper, all);
  if (why !== null) return { type: 'refused', ...why };
  const lower = find(upper.mergeInto, all);
  if (lower === undefined) return none;
  const phase = takes(lower, upper) ? lower.merging?.phase : undefined;
  return goesOn(phase === 'snapshot' ? 'Copying' : phase === 'log' ? 'Following' : 'Waiting', upper, lower);
};

const whyTakenBack = (upper: ShardView, wished: Merge): string => {
  if (upper.deleting) return `the deletion of ${upper.name} was asked for`;
  return wished.type === 'refused' ? wished.message : 'mergeInto was taken back';
};

const asUpper = (own: ShardView, all: readonly ShardView[]): Merge => {
  const other = partner(own, all);
  const end = decided(own, other ?? (own.emptied === null ? undefined : find(own.mergeInto, all)));
  if (end !== null) return end;
  const wished = wish(own, all);
  if (other === undefined || other.hasGivenUp) return wished;
  if (wished.type === 'goes-on' && wished.lower === other) return wished;
  return goesOn('GivingUp', own, other, whyTakenBack(own, wished));
};

/** The upper neighbour is gone, which no merge survives that had not come to the hand-over. */
const orphaned = (own: ShardView, all: readonly ShardView[]): Merge => {
  const from = own.merging?.from ?? own.takesFrom;
  if (from === null || find(from, all) !== undefined || own.hasGivenUp) return none;
  const message = `${from}, whose keys it copied, is gone; ${own.name} has to say that it has given up`;
  return { type: 'goes-on', phase: 'GivingUp', from, lower: own, keys: null, message };
};

const concerns = (upper: ShardView, lower: ShardView): boolean =>
  [upper.mergeInto, upper.givesTo, upper.handed?.to].includes(lower.name) ||
  [lower.takesFrom, lower.merging?.from].includes(upper.name);

const asLower = (own: ShardView, all: readonly ShardView[]): Merge => {
  for (const upper of all) {
    if (upper.name === own.name || !concerns(upper, own)) continue;
    const merge = asUpper(upper, all);
    if (merge.type === 'goes-on' && merge.lower.name === own.name) return merge;
  }
  return orphaned(own, all);
};

/** The merge that a shard takes part in, as the upper or the lower one. Pure. */
export const mergeOf = (own: ShardView, all: readonly ShardView[]): Merge => {
  const taken = asLower(own, all);
  return taken.type === 'none' ? asUpper(own, all) : taken;
};

/** A merge as status shows it. */
export const mergeStatus = (own: ShardView, merge: Merge): DbShardStatus['merge'] => {
  if (merge.type === 'over') return { to: merge.into, phase: 'Merged' };
  if (merge.type !== 'goes-on') return undefined;
  const { phase, from, lower, keys } = merge;
  return { ...(own.name === lower.name ? { from } : { to: lower.name }), phase, ...(keys !== null && { keys }) };
};

/**
 * The shard that a shard is asked to take the keys of, as its document says it; null: none. Not before both statuses show
 * it: what may have begun was written down. And until all is over, unless it is taken back.
 */
export const mergeFrom = (own: ShardView, all: readonly ShardView[]): { readonly shard: string } | null => {
  const merge = mergeOf(own, all);
  if (merge.type !== 'goes-on' || merge.phase === 'GivingUp' || merge.lower.name !== own.name) return null;
  const isShown = own.takesFrom === merge.from && find(merge.from, all)?.givesTo === own.name;
  return isShown ? { shard: merge.from } : null;
};
