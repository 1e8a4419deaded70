import { durationMs } from '../../crds/duration.ts';
import type { DbBackupStatus } from '../../crds/db-backup.ts';
import type { DbBackup } from '../kinds.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import type { EventNote } from '../runtime/events.ts';
import { conditionsOf } from './conditions.ts';
import { iso, patienceMs, record, type Ledger } from './ledger.ts';
import { requestOf, type Run } from './run.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { dueTime, overdueTime, sleepUntil } from './timing.ts';

export interface BackupObserved {
  readonly backup: DbBackup;
  readonly runs: readonly Run[];
  /** There is a DBShard of the database. */
  readonly databaseExists: boolean;
  /** Objects of names that a run needs and that belong to somebody else. */
  readonly foreign: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface BackupPlan {
  readonly status: Omit<DbBackupStatus, 'conditions'>;
  readonly conditions: readonly DesiredCondition[];
  /** Told once the status is written. */
  readonly events: readonly EventNote[];
  /** Number of the run to be begun; null: none. */
  readonly start: number | null;
  /** Pods to be removed. */
  readonly surplus: readonly { readonly pod: string; readonly force: boolean }[];
  readonly requeueAfterMs: number | undefined;
}

/** A pod that should have gone so long ago is on a node that is lost. */
const lingeringMs = 30_000;

/** Of the runs that are over the last one stays, for its log; those that did not end by themselves are ended. */
const surplusOf = (runs: readonly Run[], { runs: recorded = 0 }: Ledger, now: number): BackupPlan['surplus'] => {
  const over = runs.filter(({ number }) => number <= recorded).toSorted((a, b) => b.number - a.number);
  const ended = over.filter(({ end }) => end !== null);
  const stuck = over.filter(({ end }) => end === null);
  return [...ended.slice(1), ...stuck].flatMap(({ pod, goneBy }) => {
    const force = goneBy !== null && now > goneBy + lingeringMs;
    return goneBy === null || force ? [{ pod, force }] : [];
  });
};

/** The moments at which runs that are at work have to be looked at. */
const runWakes = (runs: readonly Run[], deadlineMs: number): number[] =>
  runs
    .filter(({ end }) => end === null)
    .map(({ since, goneBy }) => (goneBy === null ? since + deadlineMs + patienceMs : goneBy + lingeringMs));

/** The schedule, as long as it is in force. */
const inForce = (schedule: Schedule | null, { spec }: DbBackup): Schedule | null => (spec.suspend ? null : schedule);

/** The ledger of the status. */
const ledgerOf = ({ status = {} }: DbBackup): Ledger => {
  const { conditions: _, observedGeneration: __, nextTime: ___, ...ledger } = status;
  return ledger;
};

/** What a person asks for and did not get yet; undefined: nothing. */
const openRequest = ({ metadata }: DbBackup, ledger: Ledger): string | undefined => {
  const request = requestOf(metadata);
  return request === ledger.request ? undefined : request;
};

interface Start {
  readonly number: number;
  readonly ledger: Ledger;
}

/** The run that begins now, if one does. */
const startOf = (
  { backup, runs, databaseExists, foreign, now }: BackupObserved,
  ledger: Ledger,
  due: number | null,
): Start | null => {
  const request = openRequest(backup, ledger);
  const isDue = request !== undefined || (due !== null && due <= now);
  const isFree = databaseExists && foreign.length === 0 && runs.every(({ end }) => end !== null);
  if (!isDue || !isFree) return null;
  const number = Math.max(ledger.runs ?? 0, ...runs.map((run) => run.number)) + 1;
  return { number, ledger: { ...ledger, lastAttemptTime: iso(now), ...(request !== undefined && { request }) } };
};

interface Judging {
  readonly ledger: Ledger;
  readonly isStarting: boolean;
  readonly problem: string;
  readonly next: number | null;
  readonly overdue: number | null;
}

const judge = (
  { backup, runs, databaseExists, foreign, now }: BackupObserved,
  judging: Judging,
): DesiredCondition[] => {
  const { ledger, isStarting, problem, next, overdue } = judging;
  return conditionsOf({
    ledger,
    runs,
    problem,
    next,
    database: backup.spec.database,
    databaseExists,
    isSuspended: backup.spec.suspend,
    isOverdue: overdue !== null && now >= overdue,
    isBusy: isStarting || runs.some(({ end }) => end === null),
    foreign,
  });
};

const statusOf = ({ metadata }: DbBackup, ledger: Ledger, next: number | null): BackupPlan['status'] => ({
  ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  ...ledger,
  ...(next !== null && { nextTime: iso(next) }),
});

/** Decides all about one DBBackup: what its runs have come to, whether one is to begin, and when to look again. */
export const planBackup = (observed: BackupObserved): BackupPlan => {
  const { backup, runs, now } = observed;
  const deadlineMs = durationMs(backup.spec.deadline);
  const recorded = record(ledgerOf(backup), runs, { deadlineMs, now });
  const parsed = parseSchedule(backup.spec.schedule, backup.spec.timeZone);
  const schedule = inForce(parsed.ok ? parsed.schedule : null, backup);
  const start = startOf(observed, recorded.ledger, schedule && dueTime(recorded.ledger, schedule, backup));
  const { ledger } = start ?? recorded;
  const next = schedule && dueTime(ledger, schedule, backup);
  const overdue = schedule && overdueTime(ledger, schedule, backup);
  const problem = parsed.ok ? '' : parsed.problem;
  return {
    status: statusOf(backup, ledger, next),
    conditions: judge(observed, { ledger, isStarting: start !== null, problem, next, overdue }),
    events: recorded.events,
    start: start && start.number,
    surplus: surplusOf(runs, ledger, now),
    requeueAfterMs: sleepUntil([next, overdue, ...runWakes(runs, deadlineMs)], now),
  };
};
