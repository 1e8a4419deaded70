import { createHash } from 'node:crypto';
import type { DbBackupStatus } from '../../crds/db-backup.ts';
import { backOffMs } from '../runtime/back-off.ts';
import type { EventNote } from '../runtime/events.ts';
import type { Run, RunEnd } from './run.ts';

/** What is known of a resource's runs: the part of its status that later decisions rest on. */
export type Ledger = Omit<DbBackupStatus, 'conditions' | 'observedGeneration' | 'nextTime'>;

/** A run that is not done so long after its deadline does not end by itself: its pod never started, or its node is lost. */
export const patienceMs = 2 * 60_000;
/** Until a failed run is tried again; doubles with each failure. */
const retry = { minMs: 30_000, maxMs: 15 * 60_000 } as const;

/** A time as statuses hold it. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Milliseconds since 1970 of a time in a status; null: there is none. */
export const timeIn = (text: string | undefined): number | null => (text === undefined ? null : Date.parse(text));

/** When a run that failed is tried again; the same each time that it is asked. */
export const retryTime = ({ failures = 0, lastFailureTime }: Ledger, uid: string): number | null => {
  const failed = timeIn(lastFailureTime);
  if (failures === 0 || failed === null) return null;
  const random = createHash('sha256').update(`${uid}/${failures}`).digest().readUInt32BE(0) / 2 ** 32;
  return Math.floor(failed + backOffMs(retry, failures, random));
};

/** How a run that shows no end came to one all the same; null: it goes on. */
const forcedEnd = ({ end, since, waits, goneBy }: Run, deadlineMs: number, now: number): RunEnd | null => {
  if (end !== null) return end;
  if (goneBy !== null) return { ok: false, message: 'its pod was deleted before it was done' };
  if (now < since + deadlineMs + patienceMs) return null;
  const message =
    waits === '' ? 'not done within the deadline, and ended: allow more time' : `its pod never ran: ${waits}`;
  return { ok: false, message };
};

const succeeded = (ledger: Ledger, { report }: Extract<RunEnd, { ok: true }>, now: number): Ledger => {
  const { lastFailureMessage: _, ...rest } = ledger;
  return {
    ...rest,
    failures: 0,
    lastSuccessTime: iso(now),
    ...(report !== null && {
      backup: report.backup,
      bytes: report.bytes,
      restorableFrom: iso(report.from),
      restorableUntil: iso(report.until),
    }),
  };
};

const failed = (ledger: Ledger, message: string, now: number): Ledger => ({
  ...ledger,
  failures: (ledger.failures ?? 0) + 1,
  lastFailureTime: iso(now),
  lastFailureMessage: message.slice(0, 1000),
});

const eventOf = (end: RunEnd, pod: string): EventNote => {
  if (!end.ok) return { type: 'Warning', reason: 'BackupFailed', note: `${pod}: ${end.message}` };
  const { report } = end;
  const what = report === null ? '' : `: ${report.bytes} bytes, restorable until ${iso(report.until)}`;
  return { type: 'Normal', reason: 'BackupDone', note: `${pod}${what}` };
};

/** A ledger after the runs that have ended were written into it, and what there is to tell. */
export interface Recorded {
  readonly ledger: Ledger;
  readonly events: readonly EventNote[];
}

/** What a pod tells of the beginning of its run: an operator may have died before it wrote that down. */
const begun = (ledger: Ledger, { since, request }: Run): Ledger => ({
  ...ledger,
  lastAttemptTime: iso(Math.max(timeIn(ledger.lastAttemptTime) ?? 0, since)),
  ...(request !== undefined && { request }),
});

/** Writes runs that have ended into a ledger: each once, in their order. */
export const record = (
  before: Ledger,
  runs: readonly Run[],
  { deadlineMs, now }: { readonly deadlineMs: number; readonly now: number },
): Recorded => {
  const events: EventNote[] = [];
  const { active, ...known } = before;
  let ledger: Ledger = known;
  const take = (number: number, pod: string, end: RunEnd): void => {
    ledger = end.ok ? succeeded(ledger, end, now) : failed(ledger, end.message, now);
    ledger = { ...ledger, runs: number };
    events.push(eventOf(end, pod));
  };
  const news = runs.filter(({ number }) => number > (before.runs ?? 0)).toSorted((a, b) => a.number - b.number);
  if (active !== undefined && !runs.some(({ pod }) => pod === active)) {
    take((before.runs ?? 0) + 1, active, { ok: false, message: 'its pod was deleted before it was done' });
  }
  let atWork: string | undefined;
  for (const run of news) {
    ledger = begun(ledger, run);
    const end = forcedEnd(run, deadlineMs, now);
    if (end === null) atWork = run.pod;
    else if (run.number > (ledger.runs ?? 0)) take(run.number, run.pod, end);
  }
  return { ledger: { ...ledger, ...(atWork !== undefined && { active: atWork }) }, events };
};
