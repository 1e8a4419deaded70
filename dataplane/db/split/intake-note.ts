import { z } from 'zod';
import type { KeyRange } from '../store/key-range.ts';

/**
 * How far a new shard is, in its own log:
 * - snapshot: all keys of the source are being copied; what is here is worth nothing if that is interrupted
 * - log: all that the source's log held up to `position` is here, and perhaps the next entry, too
 * - open: the keys are served here; the source may still believe that it has to keep them
 * No note: it is no new shard, or all is over.
 */
export type IntakeNote = z.infer<typeof stored>;

/** Where keys are to come from. */
export interface Assignment {
  /** Name of the shard that is split. */
  readonly from: string;
  /** First key of the new shard. */
  readonly at: string;
  readonly epoch: number;
}

/** Name of the note that holds it. */
export const intakeNote = 'intake';

const assignment = { from: z.string(), at: z.string(), epoch: z.number() };
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

/** The range of a shard that takes keys in and serves none yet. Its epoch makes versions of what it copies its own. */
export const rangeOfIntake = ({ at, epoch }: Assignment): KeyRange => ({
  start: at,
  end: at,
  epoch,
  terms: 0,
  time: 0,
});
