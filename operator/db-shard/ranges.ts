import { isEmptyRange } from '../../contract/key-range.ts';
import { loggedRange, type ShardView } from './shard-view.ts';

/** A shard's claim on keys, as far as ranges go. */
export interface RangeClaim {
  readonly name: string;
  readonly database: string;
  /** '' = from the lowest key. */
  readonly start: string;
  /** '' = to the highest key. */
  readonly end: string;
  /** Of two claims the one with the higher epoch is the later truth. */
  readonly epoch: number;
  /** RFC 3339. */
  readonly created: string;
  /** The shard whose keys it took over, if any. */
  readonly from: string | null;
  /** The shard that it gives all of its keys to, if any. */
  readonly into: string | null;
  /** Keys that it gave to another shard, which does not serve them yet. */
  readonly handed: { readonly to: string; readonly start: string; readonly end: string } | null;
}

export interface RangeVerdict {
  /** What is wrong around this shard; empty when all is well. */
  readonly problems: readonly string[];
  /** Keys around it that are changing hands, which is nothing wrong. */
  readonly moving: readonly string[];
  /** Why this shard must not serve, or null. Of two that overlap the higher epoch serves, or the older shard: keys were written to it. */
  readonly conflict: string | null;
}

/** Byte order, as the store has it: JavaScript's own order of strings differs beyond the basic plane. */
const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

interface Keys {
  readonly start: string;
  readonly end: string;
}

const endsBefore = (end: string, start: string): boolean => end !== '' && order(end, start) <= 0;

const overlap = (a: Keys, b: Keys): boolean =>
  !isEmptyRange(a) && !isEmptyRange(b) && !endsBefore(a.end, b.start) && !endsBefore(b.end, a.start);

const isOlder = (a: RangeClaim, b: RangeClaim): boolean =>
  a.created === b.created ? a.name < b.name : a.created < b.created;

const outranks = (a: RangeClaim, b: RangeClaim): boolean => (a.epoch === b.epoch ? isOlder(a, b) : a.epoch > b.epoch);

const hasTakenFrom = (a: RangeClaim, b: RangeClaim): boolean => a.from === b.name || b.into === a.name;

/** One took keys over from the other, and what is known of the two is not of the same time: the higher epoch is right. */
const isLateNews = (a: RangeClaim, b: RangeClaim): boolean =>
  a.epoch !== b.epoch && (hasTakenFrom(a, b) || hasTakenFrom(b, a));

/** A range for people. */
export const showRange = ({ start, end }: Keys): string => `["${start}", ${end === '' ? 'end' : `"${end}"`})`;

/** True when a key is in the range. */
export const covers = ({ start, end }: Keys, key: string): boolean =>
  order(key, start) >= 0 && (end === '' || order(key, end) < 0);

/** True when a shard of this range may be split at the key. */
export const isInside = (key: string, { start, end }: Keys): boolean =>
  order(key, start) > 0 && (end === '' || order(key, end) < 0);

/** Ranges of keys that nothing of the list holds, from the lowest key to the highest. */
const gaps = (claims: readonly Keys[]): Keys[] => {
  const found: Keys[] = [];
  let covered: string | null = '';
  for (const claim of [...claims].sort((a, b) => order(a.start, b.start))) {
    if (covered === null) break;
    if (order(claim.start, covered) > 0) found.push({ start: covered, end: claim.start });
    if (claim.end === '') covered = null;
    else if (order(claim.end, covered) > 0) covered = claim.end;
  }
  if (covered !== null) found.push({ start: covered, end: '' });
  return found;
};

const touches = (own: Keys, other: Keys): boolean => other.end === own.start || other.start === own.end;

const whyConflict = (winner: RangeClaim | undefined, own: RangeClaim): string | null => {
  if (winner === undefined) return null;
  const which = winner.epoch === own.epoch ? 'the older shard' : 'shard';
  return `its range overlaps with ${which} ${winner.name}, which serves it`;
};

/** Judges one shard against all that serve keys in its namespace. Shards of other databases do not matter. */
export const judgeRange = (own: RangeClaim, all: readonly RangeClaim[]): RangeVerdict => {
  const siblings = all.filter((claim) => claim.database === own.database && claim.name !== own.name);
  const overlapping = siblings
    .filter((claim) => overlap(own, claim) && !isLateNews(own, claim))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems = overlapping.map((other) => `overlaps with ${other.name} ${showRange(other)}`);
  const claims = [own, ...siblings];
  const underWay = claims.flatMap((claim) => (claim.handed === null ? [] : [{ ...claim.handed, from: claim.name }]));
  for (const gap of gaps([...claims, ...underWay])) {
    if (touches(own, gap)) problems.push(`no shard holds ${showRange(gap)}`);
  }
  return {
    problems,
    moving: underWay
      .filter((keys) => touches(own, keys))
      .map((keys) => `${showRange(keys)} is on its way from ${keys.from} to ${keys.to}`),
    conflict: whyConflict(
      overlapping.find((other) => outranks(other, own)),
      own,
    ),
  };
};

/** Keys that were given to nobody are a gap, and those that are served again are no longer on their way. */
const onTheirWay = ({ handed }: ShardView, epoch: number, all: readonly ShardView[]): RangeClaim['handed'] => {
  const taker = all.find((other) => other.name === handed?.to);
  const isUnderWay = taker !== undefined && (taker.range === null || taker.range.epoch < epoch);
  return isUnderWay ? handed : null;
};

/** The claim of a shard that serves keys, or has just given all of them away; none while it has nothing. */
export const claimOf = (shard: ShardView, all: readonly ShardView[]): RangeClaim[] => {
  const { name, database, created, splitFrom } = shard;
  const range = loggedRange(shard);
  if (range === null) return [];
  const handed = onTheirWay(shard, range.epoch, all);
  if (shard.range === null && handed === null) return [];
  const into = shard.givesTo ?? shard.mergeInto;
  return [{ name, database, created, ...range, from: splitFrom?.shard ?? null, into, handed }];
};
