import { isEmptyRange } from '../../../contract/key-range.ts';
import { maxEpoch, type KeyRange } from '../store/key-range.ts';
import type { Plan } from './protocol.ts';
import { assignmentOf, type Assignment, type IntakeNote } from './intake-note.ts';
import { mergeOf, type MergePlan } from './merge-begin.ts';
import type { SplitFrom } from './range-report.ts';

/** What the directory wants of a shard that serves keys: to take over all of its upper neighbour. */
export interface MergeFrom {
  readonly shard: string;
  /** That one tells that it has no keys any more: it was done. */
  readonly emptied: boolean;
}

/** What a primary knows of itself when it asks what there is to do for a split or a merge. */
export interface Standing {
  /** As the log says; null: it does not say. */
  readonly range: KeyRange | null;
  readonly intake: IntakeNote | null;
  /** What the directory wants. */
  readonly splitFrom: SplitFrom | null;
  readonly mergeFrom: MergeFrom | null;
}

export type Work =
  | { readonly kind: 'nothing' }
  /** Ask where, and begin. */
  | { readonly kind: 'begin'; readonly splitFrom: SplitFrom }
  /** The same, with all keys of another shard. */
  | { readonly kind: 'merge'; readonly from: string }
  /** Go on, with the keys of this shard. */
  | { readonly kind: 'step'; readonly from: string }
  /** Take a merge back if that is possible, else go on. */
  | { readonly kind: 'give-up'; readonly from: string }
  /** The directory wants what cannot be. */
  | { readonly kind: 'refused'; readonly reason: string };

const nothing: Work = { kind: 'nothing' };

const refused = (reason: string): Work => ({ kind: 'refused', reason });

/** What a shard's primary has to do next. What its log says outranks the directory. Pure. */
export const nextWork = (standing: Standing): Work => {
  const { range, intake, splitFrom, mergeFrom } = standing;
  if (intake !== null) return { kind: isUnwanted(intake, mergeFrom) ? 'give-up' : 'step', from: intake.from };
  const ofSplit = splitFrom === null ? nothing : workOfSplit(range, splitFrom);
  return ofSplit.kind === 'nothing' && mergeFrom !== null ? workOfMerge(range, mergeFrom) : ofSplit;
};

const isUnwanted = ({ merge, phase, from }: IntakeNote, mergeFrom: MergeFrom | null): boolean =>
  merge !== undefined && phase !== 'open' && mergeFrom?.shard !== from;

const workOfSplit = (range: KeyRange | null, splitFrom: SplitFrom): Work => {
  if (range === null) return { kind: 'begin', splitFrom };
  // A shard that took keys over, or gave some away since, has an epoch above 0.
  if (range.epoch > 0 || isEmptyRange(range)) return nothing;
  return refused(
    `this shard has keys of its own and cannot take over those of ${splitFrom.shard}: split with a new one`,
  );
};

const workOfMerge = (range: KeyRange | null, { shard: from, emptied }: MergeFrom): Work => {
  if (range === null || emptied) return nothing;
  if (isEmptyRange(range)) return refused(`this shard has no keys of its own: it cannot take over those of ${from}`);
  if (range.end !== '') return { kind: 'merge', from };
  return refused(`this shard has the highest keys: those of ${from} do not follow`);
};

/**
 * What to copy anew when the source does not give its keys away, by what it says of itself now; null: nothing has changed,
 * so that would not help. `own`: the range of this shard. Pure.
 */
export const anew = (intake: IntakeNote, own: KeyRange | null, plan: Plan | MergePlan): Assignment | null => {
  const { from, merge } = intake;
  if (!merge) return plan.epoch > intake.epoch ? { ...assignmentOf(intake), epoch: plan.epoch } : null;
  if (own === null || plan.epoch === merge.since || plan.at !== intake.at) return null;
  const again = mergeOf(from, own, plan);
  return again.epoch > maxEpoch ? null : again;
};
