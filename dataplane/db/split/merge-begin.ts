import { isEmptyRange } from '../../../contract/key-range.ts';
import { clearsKeys } from '../store/effects.ts';
import { maxEpoch, type KeyRange } from '../store/key-range.ts';
import { decodeNote, transactionOf } from '../two-phase/note.ts';
import { handedNote, decodeHanded, type Handed } from './hand-over.ts';
import { decodeIntake, intakeNote, type Assignment } from './intake-note.ts';

/** What the upper neighbour says of itself: its first key, and its epoch. Nothing changes there before the hand-over. */
export interface MergePlan {
  readonly at: string;
  readonly epoch: number;
}

/** The state of a shard that is to take over its upper neighbour. */
export interface TakerFacts {
  readonly range: KeyRange | null;
  /** Keys that it has given away and that are not surely taken yet. */
  readonly handed: Pick<Handed, 'to'> | null;
  /** Where it takes keys over from already. */
  readonly intake: Pick<Assignment, 'from'> | null;
  /** A transaction over several shards is under way that removes all keys. */
  readonly clearing: boolean;
}

export type MergeVerdict =
  | { readonly kind: 'begin'; readonly assignment: Assignment }
  | { readonly kind: 'refused'; readonly code: 'ERR' | 'TRYAGAIN'; readonly reason: string };

const refused = (code: 'ERR' | 'TRYAGAIN', reason: string): MergeVerdict => ({ kind: 'refused', code, reason });

/**
 * Epochs of a merge are above those of both shards: the lower one has the first from the beginning on, so that versions
 * of what it copies repeat none; the keys are served in the next.
 */
export const mergeOf = (from: string, range: KeyRange, { at, epoch }: MergePlan): Assignment => ({
  from,
  at,
  epoch: Math.max(range.epoch, epoch) + 2,
  merge: { since: epoch },
});

/** What passes by itself, and is waited for. */
const obstacle = ({ handed, intake, clearing }: TakerFacts): string | null => {
  if (handed !== null) return `this shard is being split: keys are on their way to ${handed.to}`;
  if (intake !== null) return `this shard still takes over keys from ${intake.from}`;
  return clearing ? 'a transaction over several shards is about to remove all keys of this shard' : null;
};

/** Whether a shard begins to take over its upper neighbour. Pure. */
export const judgeMerge = (facts: TakerFacts, from: string, plan: MergePlan): MergeVerdict => {
  const { range } = facts;
  if (range === null) return refused('TRYAGAIN', 'this shard does not know its range yet');
  const passing = obstacle(facts);
  if (passing !== null) return refused('TRYAGAIN', passing);
  if (isEmptyRange(range)) return refused('ERR', 'this shard has no keys of its own: merge with one that has');
  if (range.end === '' || range.end !== plan.at) {
    return refused(
      'ERR',
      `the keys of ${from} do not begin where those of this shard end: only neighbours can be merged`,
    );
  }
  const assignment = mergeOf(from, range, plan);
  if (assignment.epoch > maxEpoch) return refused('ERR', 'the keys have changed hands too often');
  return { kind: 'begin', assignment };
};

/** Whether something that is prepared will remove all keys. */
const isClearing = (notes: Iterable<readonly [string, Buffer]>): boolean => {
  for (const [name, bytes] of notes) {
    const note = transactionOf(name) === null ? null : decodeNote(bytes);
    if (note?.state === 'prepared' && clearsKeys(note.effects)) return true;
  }
  return false;
};

/** What the notes of a shard say of it. */
export const takerFacts = (range: KeyRange | null, notes: Iterable<readonly [string, Buffer]>): TakerFacts => {
  const all = new Map(notes);
  const [handed, intake] = [all.get(handedNote), all.get(intakeNote)];
  return {
    range,
    handed: handed === undefined ? null : decodeHanded(handed),
    intake: intake === undefined ? null : decodeIntake(intake),
    clearing: isClearing(all),
  };
};

/**
 * Whether a shard keeps keys that are not its own and that it must not lose: those it has given away, which may have to be
 * copied once more, and those it is copying. `note`: looks one up.
 */
export const keepsKeysOfOthers = (note: (name: string) => Buffer | undefined): boolean => {
  if (note(handedNote) !== undefined) return true;
  const intake = note(intakeNote);
  return intake !== undefined && decodeIntake(intake).merge !== undefined;
};
