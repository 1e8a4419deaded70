import type { RangeReport } from '../../contract/heartbeat.ts';
import { isEmptyRange } from '../../contract/key-range.ts';
import type { DbShardStatus, MergePhase } from '../../crds/db-shard.ts';

/** Keys of a shard, and how often keys have changed hands up to then. */
export interface KeyRange {
  /** '' = from the lowest key. */
  readonly start: string;
  /** '' = to the highest key. */
  readonly end: string;
  readonly epoch: number;
}

type Intake = NonNullable<RangeReport['intake']>;

/** What is known of the range in a shard's log. */
export interface Known {
  /** Keys that it serves; null: none yet, none any more, or not known. */
  readonly range: KeyRange | null;
  /** It gave all of its keys to its lower neighbour: where they began, and in which epoch. */
  readonly emptied: { readonly at: string; readonly epoch: number } | null;
  /** As a new half: it takes keys over, or has, and is not done with that. */
  readonly intake: Intake | null;
  /** The same of the keys of its upper neighbour, beside its own. */
  readonly merging: Intake | null;
  /** Keys that it gave away and that are not surely taken yet. */
  readonly handed: NonNullable<RangeReport['handed']> | null;
}

/** What one replica says about the range, and how much of the log it has seen. */
export interface Witness {
  readonly report: RangeReport;
  readonly applied: number;
}

/** The part of a status that tells of keys. */
export type RangeStatus = Pick<DbShardStatus, 'range' | 'split' | 'merge'>;

/** Status is one more witness: an old one, that is never away. */
const inStatus = (status: RangeStatus): Witness[] => {
  const { range, split, merge } = status;
  if (range === undefined) return [];
  const intake = splittingIn(split) ?? mergingIn(merge);
  const handed = handedIn(merge) ?? handedIn(split);
  return [{ applied: -1, report: { ...range, ...(intake && { intake }), ...(handed && { handed }) } }];
};

const handedIn = ({ to, phase, keys }: NonNullable<RangeStatus['split' | 'merge']> | Record<string, never> = {}) =>
  (phase === 'HandedOver' || phase === 'Open') && to !== undefined && keys !== undefined ? { to, ...keys } : undefined;

const splittingIn = (split: RangeStatus['split']): Intake | undefined =>
  split?.from !== undefined && split.phase === 'Open' ? { from: split.from, phase: 'open' } : undefined;

const phaseIn: Readonly<Partial<Record<MergePhase, Intake['phase']>>> = {
  Copying: 'snapshot',
  Following: 'log',
  GivingUp: 'log',
  HandedOver: 'log',
  Open: 'open',
};

const mergingIn = (merge: RangeStatus['merge']): Intake | undefined => {
  const phase = merge && phaseIn[merge.phase];
  return phase && merge.from !== undefined ? { from: merge.from, phase, merge: true } : undefined;
};

/** It took keys over and serves them, or always had some: a merge takes none of its own from it. */
const serves = (report: RangeReport): boolean =>
  !isEmptyRange(report) &&
  (report.intake === undefined || report.intake.merge === true || report.intake.phase === 'open');

/** What takes keys over has none yet; without that, it has none any more. */
const isEmptied = (report: RangeReport): boolean => isEmptyRange(report) && report.intake === undefined;

/** A merge that the log does not know of yet is no more than a wish. */
const isWish = ({ merge, phase }: Intake): boolean => merge === true && phase === 'waiting';

const hasBegun = ({ report, applied }: Witness): Witness => {
  if (report.intake === undefined || !isWish(report.intake)) return { report, applied };
  const { intake: _wish, ...rest } = report;
  return { report: rest, applied };
};

/**
 * Later knowledge ranks higher. Within an epoch a shard first has no keys, then serves them, and at last has nothing more to
 * do with other shards: a witness that has not applied that yet, or status, may still tell what was before.
 */
const rank = ({ report, applied }: Witness): readonly number[] => {
  const isSettled = report.intake === undefined && report.handed === undefined;
  const isAtEnd = isSettled && (serves(report) || isEmptied(report));
  return [report.epoch, Number(serves(report)), Number(isAtEnd), applied];
};

const outranks = (a: Witness, b: Witness): boolean => {
  const [left, right] = [rank(a), rank(b)];
  const at = left.findIndex((value, i) => value !== right[i]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
};

/** What replicas and status know together: the highest epoch, then who has applied most. Nothing known is forgotten. Pure. */
export const learn = (witnesses: readonly Witness[], status: RangeStatus | undefined): Known => {
  const all = [...witnesses.map(hasBegun), ...inStatus(status ?? {})];
  const best = all.reduce<Witness | null>((one, other) => (one === null || outranks(other, one) ? other : one), null);
  if (best === null) return { range: null, emptied: null, intake: null, merging: null, handed: null };
  const { start, end, epoch, intake = null, handed = null } = best.report;
  const isMerge = intake?.merge === true;
  return {
    range: serves(best.report) ? { start, end, epoch } : null,
    emptied: isEmptied(best.report) ? { at: start, epoch } : null,
    intake: isMerge ? null : intake,
    merging: isMerge ? intake : null,
    handed,
  };
};
