import { performance } from 'node:perf_hooks';
import { DbError } from '../db-error.ts';
import { requestDeadlineMs } from './shard-link.ts';

/** What comes of an attempt that a change of ranges has overtaken: it did nothing, or nothing that may not be repeated. */
export const overtaken = Symbol('overtaken');

/**
 * Plans and carries something out with the ranges of the moment, and again whenever they turn out to be others. Every
 * attempt gets the deadline of all (performance.now(), milliseconds) for its requests, which bounds how often.
 * @throws DbError TRYAGAIN when the time is over; what an attempt throws
 */
export const replanned = async <T>(
  attempt: (deadline: number) => Promise<T | typeof overtaken>,
  deadline = performance.now() + requestDeadlineMs,
): Promise<T> => {
  do {
    const outcome = await attempt(deadline);
    if (outcome !== overtaken) return outcome;
  } while (performance.now() < deadline);
  throw new DbError(
    'TRYAGAIN',
    `not executed within ${requestDeadlineMs / 1000} s: keys are changing shards, or their shards do not answer`,
  );
};
