import { Cron } from 'croner';

/** When backups are due. Times are milliseconds since 1970. */
export interface Schedule {
  /** The first time after a moment; null: there is none. */
  next(after: number): number | null;
}

export type ParsedSchedule =
  { readonly ok: true; readonly schedule: Schedule } | { readonly ok: false; readonly problem: string };

const isTimeZone = (name: string): boolean => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/** Reads a schedule. What the schema lets through may still be wrong: a range that ends before it begins, a 30th of February. */
export const parseSchedule = (expression: string, timeZone: string): ParsedSchedule => {
  if (!isTimeZone(timeZone)) {
    return { ok: false, problem: `timeZone ${timeZone} is not known: use a name such as Europe/Berlin` };
  }
  try {
    const cron = new Cron(expression, { timezone: timeZone, mode: '5-part' });
    const next = (after: number): number | null => cron.nextRun(new Date(after))?.getTime() ?? null;
    if (next(0) !== null) return { ok: true, schedule: { next } };
    return { ok: false, problem: `schedule ${expression} names no day that exists` };
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '');
    return { ok: false, problem: `schedule ${expression} makes no sense: ${why}` };
  }
};
