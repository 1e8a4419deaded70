import { isEmptyRange, type KeyRange } from '../store/key-range.ts';
import type { IntakeNote } from './intake-note.ts';
import type { SplitFrom } from './range-report.ts';

/** What a primary knows of itself when it asks what there is to do for a split. */
export interface Standing {
  /** As the log says; null: it does not say. */
  readonly range: KeyRange | null;
  readonly intake: IntakeNote | null;
  /** What the directory wants. */
  readonly splitFrom: SplitFrom | null;
}

export type Work =
  | { readonly kind: 'nothing' }
  /** Ask where, and begin. */
  | { readonly kind: 'begin'; readonly splitFrom: SplitFrom }
  /** Go on, with the keys of this shard. */
  | { readonly kind: 'step'; readonly from: string }
  /** The directory wants what cannot be. */
  | { readonly kind: 'refused'; readonly reason: string };

const nothing: Work = { kind: 'nothing' };

/** What a new shard's primary has to do next. What its log says outranks the directory. Pure. */
export const nextWork = ({ range, intake, splitFrom }: Standing): Work => {
  if (intake !== null) return { kind: 'step', from: intake.from };
  if (splitFrom === null) return nothing;
  if (range === null) return { kind: 'begin', splitFrom };
  // A shard that took keys over, or gave some away since, has an epoch above 0.
  if (range.epoch > 0 || isEmptyRange(range)) return nothing;
  const reason = `this shard has keys of its own and cannot take over those of ${splitFrom.shard}: split with a new one`;
  return { kind: 'refused', reason };
};
