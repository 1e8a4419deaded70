import { foreignCondition } from '../foreign.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import { iso, type Ledger } from './ledger.ts';
import type { Run } from './run.ts';

/** What the conditions of a DBBackup are made from. */
export interface Judged {
  readonly ledger: Ledger;
  readonly runs: readonly Run[];
  readonly database: string;
  readonly databaseExists: boolean;
  readonly isSuspended: boolean;
  /** Of the schedule; empty: there is none. */
  readonly problem: string;
  readonly isOverdue: boolean;
  /** A run is at work, or begins now. */
  readonly isBusy: boolean;
  /** When the next run begins; null: nothing is due. */
  readonly next: number | null;
  readonly foreign: readonly string[];
}

const condition = (
  type: string,
  status: DesiredCondition['status'],
  [reason, message = '']: readonly [string, string?],
): DesiredCondition => ({ type, status, reason, message });

const readiness = ({ problem, databaseExists, database, isSuspended }: Judged): DesiredCondition => {
  if (problem !== '') return condition('Ready', false, ['InvalidSchedule', problem]);
  if (!databaseExists) {
    const message = `no DBShard of this namespace has spec.database ${database}: make one, or correct the name`;
    return condition('Ready', false, ['DatabaseMissing', message]);
  }
  if (isSuspended) return condition('Ready', true, ['Suspended', 'spec.suspend is true: nothing is due']);
  return condition('Ready', true, ['Scheduled']);
};

/** When a failure is tried again, for the end of a sentence. */
const again = ({ next, isBusy }: Judged): string => (next === null || isBusy ? '' : `; next try at ${iso(next)}`);

const overdue = (judged: Judged): DesiredCondition => {
  const { lastSuccessTime, lastFailureMessage } = judged.ledger;
  const since = lastSuccessTime === undefined ? 'no run was ever done' : `the last run was done at ${lastSuccessTime}`;
  const why = lastFailureMessage === undefined ? '' : `: ${lastFailureMessage}`;
  const message = `${since}, and two times of the schedule have passed${why}${again(judged)}`;
  return condition('BackedUp', false, ['Overdue', message]);
};

const backedUp = (judged: Judged): DesiredCondition => {
  const { lastSuccessTime, lastFailureMessage, restorableFrom, restorableUntil } = judged.ledger;
  if (judged.isOverdue) return overdue(judged);
  if (lastFailureMessage !== undefined) {
    return condition('BackedUp', false, ['Failed', `${lastFailureMessage}${again(judged)}`]);
  }
  if (lastSuccessTime === undefined) return condition('BackedUp', 'Unknown', ['NoneYet', 'no run has ended yet']);
  const span = restorableFrom === undefined ? '' : `restorable from ${restorableFrom} until ${restorableUntil}`;
  return condition('BackedUp', true, ['Current', span]);
};

const progressing = ({ ledger, runs, isBusy }: Judged): DesiredCondition => {
  if (!isBusy) return condition('Progressing', false, ['Idle']);
  const waits = runs.find(({ pod }) => pod === ledger.active)?.waits ?? '';
  return waits === ''
    ? condition('Progressing', true, ['BackingUp'])
    : condition('Progressing', true, ['PodWaits', `${ledger.active}: ${waits}`]);
};

/** The conditions of a DBBackup. Pure. */
export const conditionsOf = (judged: Judged): DesiredCondition[] => [
  readiness(judged),
  backedUp(judged),
  progressing(judged),
  ...foreignCondition(judged.foreign),
];
