import type { DbBackup } from '../kinds.ts';
import { retryTime, timeIn, type Ledger } from './ledger.ts';
import type { Schedule } from './schedule.ts';

/** The longest sleep, so that a clock that is set does not matter for long. */
const longestSleepMs = 10 * 60_000;
/** A sleep may end a tenth too early or too late: one that is longer than this is cut into steps. */
const exactMs = 2_000;

const createdAt = ({ metadata }: DbBackup): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

/** What the schedule and earlier runs come to. Null: nothing is due by itself. */
export const dueTime = (ledger: Ledger, schedule: Schedule, backup: DbBackup): number | null => {
  const attempt = timeIn(ledger.lastAttemptTime) ?? createdAt(backup);
  const scheduled = schedule.next(attempt);
  const retry = retryTime(ledger, backup.metadata.uid ?? '');
  const failed = timeIn(ledger.lastFailureTime) ?? 0;
  // A run that began after the failure is the other try.
  if (retry === null || scheduled === null || attempt > failed) return scheduled;
  // A time that passed while the run was failing is made up for by the next attempt.
  return scheduled <= failed ? retry : Math.min(scheduled, retry);
};

/** When the last success is two times of the schedule old. */
export const overdueTime = ({ lastSuccessTime }: Ledger, schedule: Schedule, backup: DbBackup): number | null => {
  const next = schedule.next(timeIn(lastSuccessTime) ?? createdAt(backup));
  return next === null ? null : schedule.next(next);
};

/** How long to sleep before the first of some moments, milliseconds; undefined: there is none. Moments that have passed do not count. */
export const sleepUntil = (moments: readonly (number | null)[], now: number): number | undefined => {
  const ahead = moments.flatMap((moment) => (moment === null || moment <= now ? [] : [moment - now]));
  if (ahead.length === 0) return undefined;
  const sleep = Math.min(...ahead);
  return Math.max(50, Math.min(sleep > exactMs ? sleep * 0.9 : sleep, longestSleepMs));
};
