import { z } from 'zod';
import type { KeyRange } from '../store/key-range.ts';

/**
 * How far a shard is with taking keys over, in its own log:
 * - snapshot: all keys of the source are being copied; what is here of them is worth nothing if that is interrupted
 * - log: all that the source's log held up to `position` is here, and perhaps the next entry, too
 * - open: the keys are served here; the source may still believe that it has to keep them
 * No note: it takes none over, or all is over.
 */
export type IntakeNote = z.infer<typeof stored>;

/** Where keys are to come from. */
export interface Assignment {
  /** Name of the shard that has them. */
  readonly from: string;
  /** The first of them. */
  readonly at: string;
  /** In which they are served here. */
  readonly epoch: number;
  /** All keys of the upper neighbour, beside the shard's own; left out: a new shard takes the upper keys of another one. */
  readonly merge?: Merge | undefined;
}

/** What is to be known of the source of a merge. */
export interface Merge {
  /** Its epoch when the merge began: if it has another one by now, its range may have changed. */
  readonly since: number;
}

/** Name of the note that holds it. */
export const intakeNote = 'intake';

/** Notes that were made before shards could be merged have no `merge`. */
const assignment = {
  from: z.string(),
  at: z.string(),
  epoch: z.number(),
  merge: z.object({ since: z.number() }).optional(),
};
const position = z.object({
  seq: z.number(),
  term: z.number(),
  log: z.string(),
  chain: z.string(),
  time: z.number(),
});
const stored = z.discriminatedUnion('phase', [
  z.object({ ...assignment, phase: z.literal('snapshot') }),
  z.object({ ...assignment, phase: z.literal('log'), position }),
  z.object({ ...assignment, phase: z.literal('open') }),
]);

export const encodeIntake = (intake: IntakeNote): Buffer => Buffer.from(JSON.stringify(intake));

export const decodeIntake = (bytes: Buffer): IntakeNote => stored.parse(JSON.parse(bytes.toString()));

/** Without how far it is. */
export const assignmentOf = ({ from, at, epoch, merge }: Assignment): Assignment => ({
  from,
  at,
  epoch,
  ...(merge && { merge }),
});

/**
 * The range of a shard that takes keys in and does not serve them yet; `own`: that it has so far. Its epoch makes versions
 * of what it copies its own. One that serves keys meanwhile stays an epoch below: the higher one says that it has opened.
 */
export const rangeOfIntake = ({ at, epoch, merge }: Assignment, own: KeyRange | null = null): KeyRange =>
  merge && own ? { ...own, epoch: epoch - 1 } : { start: at, end: at, epoch, terms: 0, time: 0 };

/** The range of a shard that opens; `own`: that it had so far, `given`: what the source has handed over. */
export const openedRange = ({ merge }: Assignment, own: KeyRange | null, given: KeyRange): KeyRange =>
  merge && own
    ? {
        start: own.start,
        end: given.end,
        epoch: given.epoch,
        terms: Math.max(own.terms, given.terms),
        time: Math.max(own.time, given.time),
      }
    : given;
