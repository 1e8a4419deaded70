import type { RangeReport } from '../../contract/heartbeat.ts';
import type { DbShardStatus } from '../../crds/db-shard.ts';

/** Keys of a shard, and how often keys have changed hands up to then. */
export interface KeyRange {
  /** '' = from the lowest key. */
  readonly start: string;
  /** '' = to the highest key. */
  readonly end: string;
  readonly epoch: number;
}

/** What is known of the range in a shard's log. */
export interface Known {
  /** Keys that it serves; null: none yet, or not known. */
  readonly range: KeyRange | null;
  /** It takes keys over, or has, and is not done with that. */
  readonly intake: NonNullable<RangeReport['intake']> | null;
  /** Keys that it gave away and that are not surely taken yet. */
  readonly handed: NonNullable<RangeReport['handed']> | null;
}

/** What one replica says about the range, and how much of the log it has seen. */
export interface Witness {
  readonly report: RangeReport;
  readonly applied: number;
}

/** Status is one more witness: an old one, that is never away. */
const inStatus = ({ range, split }: Pick<DbShardStatus, 'range' | 'split'>): Witness[] => {
  if (range === undefined) return [];
  const { from, to, phase, keys } = split ?? {};
  const handed = (phase === 'HandedOver' || phase === 'Open') && to !== undefined && keys;
  return [
    {
      applied: -1,
      report: {
        ...range,
        ...(from !== undefined && phase === 'Open' && { intake: { from, phase: 'open' } }),
        ...(handed && { handed: { to, ...keys } }),
      },
    },
  ];
};

/** A range that ends where it starts holds no key, unless it is all keys. */
const holdsKeys = ({ start, end }: RangeReport): boolean => start === '' || start !== end;

/** It took keys over and serves them, or always had some. */
const serves = (report: RangeReport): boolean =>
  holdsKeys(report) && (report.intake === undefined || report.intake.phase === 'open');

/**
 * Later knowledge ranks higher. Within an epoch a shard first has no keys, then serves them, and at last has nothing more to
 * do with other shards: a witness that has not applied that yet, or status, may still tell what was before.
 */
const rank = ({ report, applied }: Witness): readonly number[] => {
  const settled = report.intake === undefined && report.handed === undefined;
  return [report.epoch, Number(serves(report)), Number(serves(report) && settled), applied];
};

const outranks = (a: Witness, b: Witness): boolean => {
  const [left, right] = [rank(a), rank(b)];
  const at = left.findIndex((value, i) => value !== right[i]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
};

/** What replicas and status know together: the highest epoch, then who has applied most. Nothing known is forgotten. Pure. */
export const learn = (
  witnesses: readonly Witness[],
  status: Pick<DbShardStatus, 'range' | 'split'> | undefined,
): Known => {
  const all = [...witnesses, ...inStatus(status ?? {})];
  const best = all.reduce<Witness | null>((one, other) => (one === null || outranks(other, one) ? other : one), null);
  if (best === null) return { range: null, intake: null, handed: null };
  const { start, end, epoch, intake = null, handed = null } = best.report;
  return { range: serves(best.report) ? { start, end, epoch } : null, intake, handed };
};
