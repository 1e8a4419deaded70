import type { MergePhase } from '../crds/db-shard.ts';
import { quantityBytes } from '../crds/quantity.ts';
import { conditionOf, holdsKeys, showRange, type DbShard } from './db-shards.ts';

/** What a look at a merge that was asked for shows. */
export type MergeNews =
  | { readonly type: 'goes-on'; readonly phase: MergePhase; readonly detail: string }
  /** The lower shard serves all keys, and the upper one none. */
  | { readonly type: 'merged'; readonly text: string }
  /** It cannot begin. */
  | { readonly type: 'refused'; readonly why: string }
  /** Somebody took it back. */
  | { readonly type: 'given-up' }
  /** There is no upper shard any more. */
  | { readonly type: 'gone' };

/** What each phase does, for people. */
export const phaseNames: Readonly<Record<MergePhase, string>> = {
  Waiting: 'begin',
  Copying: 'copy all keys',
  Following: 'follow the log',
  GivingUp: 'give up',
  HandedOver: 'keys handed over, last entries',
  Open: 'open',
  Merged: 'merged',
};

const named = (name: string, shards: readonly DbShard[]): DbShard | undefined =>
  shards.find(({ metadata }) => metadata.name === name);

/** The operator has answered the spec as it is now. */
const isAnswered = ({ metadata, status }: DbShard): boolean =>
  metadata.generation === undefined || (status?.observedGeneration ?? 0) >= metadata.generation;

/** After the hand-over there is only forward. */
export const isDecided = (phase: MergePhase | undefined): boolean =>
  phase === 'HandedOver' || phase === 'Open' || phase === 'Merged';

/** Why the operator does not begin; null: it does, or has not looked yet. */
const refusal = (upper: DbShard): string | null => {
  const merging = conditionOf(upper, 'Merging');
  return isAnswered(upper) && merging?.status === 'False' ? merging.message : null;
};

const detailOf = (upper: DbShard): string =>
  (isAnswered(upper) ? conditionOf(upper, 'Merging')?.message : undefined) ?? 'the operator has not seen it yet';

/** The upper shard may show it a moment before the lower one does. */
const endNews = (upper: DbShard, lower: DbShard | undefined): MergeNews => {
  const epochOf = (shard: DbShard | undefined): number => shard?.status?.range?.epoch ?? 0;
  if (lower !== undefined && epochOf(lower) < epochOf(upper)) {
    return { type: 'goes-on', phase: 'Open', detail: `${lower.metadata.name} has to show its new range` };
  }
  const name = lower?.metadata.name ?? upper.status?.merge?.to ?? '';
  return { type: 'merged', text: `${name} ${showRange(lower?.status?.range)}` };
};

/** Reads how far a merge is. Pure. */
export const mergeNews = (shards: readonly DbShard[], names: { upper: string; lower: string }): MergeNews => {
  const upper = named(names.upper, shards);
  if (upper === undefined) return { type: 'gone' };
  const { phase = 'Waiting' } = upper.status?.merge ?? {};
  if (phase === 'Merged') return endNews(upper, named(names.lower, shards));
  const why = refusal(upper);
  if (why !== null) return { type: 'refused', why };
  if (!isDecided(phase) && upper.spec.mergeInto !== names.lower) return { type: 'given-up' };
  return { type: 'goes-on', phase, detail: detailOf(upper) };
};

/** Reads how far it is to take a merge back; `merged`: it is too late. Pure. */
export const cancelNews = (shards: readonly DbShard[], name: string): MergeNews => {
  const upper = named(name, shards);
  if (upper === undefined) return { type: 'gone' };
  const { phase } = upper.status?.merge ?? {};
  if (isDecided(phase)) return { type: 'merged', text: detailOf(upper) };
  if (phase === undefined && isAnswered(upper)) return { type: 'given-up' };
  return { type: 'goes-on', phase: 'GivingUp', detail: detailOf(upper) };
};

/** The shard whose range ends where that of another one begins. Pure. */
export const lowerNeighbour = (upper: DbShard, shards: readonly DbShard[]): DbShard | undefined => {
  const start = upper.status?.range?.start ?? '';
  const ends = ({ spec, status }: DbShard): boolean =>
    spec.database === upper.spec.database && holdsKeys(status?.range) && status?.range?.end === start;
  return start === '' ? undefined : shards.find((one) => one !== upper && ends(one));
};

const busy = ({ metadata: { name, deletionTimestamp }, status }: DbShard): string | null => {
  if (deletionTimestamp !== undefined) return `${name} is being deleted`;
  if (status?.split !== undefined) return `${name} is being split (${status.split.phase}): try again when that is over`;
  return holdsKeys(status?.range) ? null : `${name} serves no keys`;
};

const otherMerge = (shard: DbShard, partner: string): string | null => {
  const { from, to, phase } = shard.status?.merge ?? {};
  const other = from ?? to ?? shard.spec.mergeInto;
  if (other === undefined || other === partner) return null;
  return `${shard.metadata.name} is being merged with ${other} (${phase ?? 'asked for'}): try again when that is over`;
};

/** Both together would be split again by the operator. */
const tooLarge = (upper: DbShard, lower: DbShard): string | null => {
  const { split } = lower.spec;
  const bytes = (upper.status?.bytes ?? 0) + (lower.status?.bytes ?? 0);
  if (split === undefined || bytes <= quantityBytes(split.above)) return null;
  const advice = 'raise split.above of it, or take split away';
  return `both have ${bytes} bytes, and ${lower.metadata.name} is split above ${split.above}: ${advice}`;
};

const apart = (upper: DbShard, lower: DbShard, shards: readonly DbShard[]): string | null => {
  const neighbour = lowerNeighbour(upper, shards);
  if (neighbour === lower) return null;
  const show = ({ metadata, status }: DbShard): string => `${metadata.name} ${showRange(status?.range)}`;
  const advice = neighbour === undefined ? '' : `; its lower neighbour is ${show(neighbour)}`;
  return `${show(lower)} does not end where ${show(upper)} begins${advice}`;
};

/** Why a shard is not merged into another, as far as status tells; null: it may be tried. Pure. */
export const objection = (upper: DbShard, lower: DbShard, shards: readonly DbShard[]): string | null => {
  const [above, below] = [upper.metadata.name, lower.metadata.name];
  if (upper.status?.merge?.to === below) return null;
  if (upper.spec.database !== lower.spec.database) {
    return `${below} belongs to database ${lower.spec.database}, not ${upper.spec.database}`;
  }
  return (
    busy(upper) ??
    busy(lower) ??
    otherMerge(upper, below) ??
    otherMerge(lower, above) ??
    apart(upper, lower, shards) ??
    tooLarge(upper, lower)
  );
};
