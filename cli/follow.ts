import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError, reasonOf } from '../local/errors.ts';
import type { Progress } from './progress.ts';

const lookEveryMs = 500;

/** What a look at something that goes on says: it is done, with a text; or where it is, and what it waits for. */
export type Look = { readonly done: string } | { readonly step?: string; readonly detail: string };

/** What a command waits for. */
export interface Following<T> {
  readonly progress: Progress;
  readonly timeoutMs: number;
  readonly read: () => Promise<T>;
  /** May throw, which ends it. */
  readonly look: (seen: T) => Promise<Look> | Look;
  /** What it is not when the time is over: `not open`. */
  readonly late: string;
  /** What goes on by itself then, and what to do. */
  readonly advice: string;
}

/**
 * Looks until all is done, and shows a step for each phase and what it waits for. An API server that does not answer is
 * waited for. @throws LocalError when the time is over; what `look` throws
 */
export const follow = async <T>(following: Following<T>): Promise<string> => {
  const { progress, timeoutMs, read, look, late, advice } = following;
  const deadline = performance.now() + timeoutMs;
  let waiting = 'nothing was seen of it';
  let step: string | undefined;
  while (performance.now() < deadline) {
    const seen = await read().catch((error: unknown) => {
      waiting = reasonOf(error);
      return undefined;
    });
    const news = seen && (await look(seen));
    if (news !== undefined) {
      if ('done' in news) return news.done;
      if (news.step !== undefined && news.step !== step) progress.step(news.step);
      step = news.step;
      progress.detail(news.detail);
      waiting = news.detail;
    }
    await sleep(lookEveryMs);
  }
  throw new LocalError('start-failed', `${late} after ${Math.round(timeoutMs / 1000)} s: ${waiting}; ${advice}`);
};

/** Does the work of a command, and ends the line of progress either way. Answers the exit code. */
export const showing = async (progress: Progress, work: () => Promise<string>): Promise<number> => {
  try {
    const text = await work();
    progress.done();
    console.log(`\n${text}`);
    return 0;
  } catch (error) {
    progress.failed();
    throw error;
  }
};
