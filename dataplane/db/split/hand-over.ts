import { isEmptyRange } from '../../../contract/key-range.ts';
import { z } from 'zod';
import { maxEpoch, type KeyBounds, type KeyRange } from '../store/key-range.ts';

/** What a shard asks of the one whose keys it takes over. Keys from `at` on are to be its own. */
export interface HandOver {
  readonly at: string;
  /** Name of the shard that takes them. */
  readonly to: string;
  /** Its epoch from then on: in a split one more than the source had when that began. */
  readonly epoch: number;
  /** All keys are asked for; the epoch that the source had when the merge began. Left out: it is a split. */
  readonly since?: number | undefined;
}

/** In the source's log from the moment on that keys are no longer its own, until the new shard has them. */
export interface Handed {
  readonly to: string;
  /** What was handed over: all that a new shard serves, the upper part of what a lower neighbour does from then on. */
  readonly range: KeyRange;
}

/** Name of the note that holds it. */
export const handedNote = 'handed';

const stored = z.object({
  to: z.string(),
  range: z.object({ start: z.string(), end: z.string(), epoch: z.number(), terms: z.number(), time: z.number() }),
});

export const encodeHanded = (handed: Handed): Buffer => Buffer.from(JSON.stringify(handed));

export const decodeHanded = (bytes: Buffer): Handed => stored.parse(JSON.parse(bytes.toString()));

/** The state of the source as its log says, and the moment. */
export interface SourceFacts {
  readonly range: KeyRange | null;
  /** Keys that were handed over and are not surely taken yet. */
  readonly handed: Handed | null;
  /** The source's term. */
  readonly term: number;
  /** Log time, milliseconds. */
  readonly time: number;
}

export type HandOverVerdict =
  /** To be written in one entry. */
  | { readonly kind: 'hand-over'; readonly keeps: KeyRange; readonly handed: Handed }
  /** It was done before. */
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): HandOverVerdict => ({ kind: 'refused', reason });

/** Whether what is handed over is what is asked for. */
const isSame = ({ to, range }: Handed, asked: HandOver): boolean =>
  to === asked.to && range.epoch === asked.epoch && range.start === asked.at;

/** Whether a range can be cut at a key: there has to be something on both sides. */
export const isInside = ({ start, end }: KeyBounds, at: string): boolean => at > start && (end === '' || at < end);

/** Why a shard with this range does not give the keys away; null: it does. */
const objection = (range: KeyRange, { at, epoch, since }: HandOver): string | null => {
  if (epoch > maxEpoch) return 'the keys have changed hands too often';
  if (since !== undefined) {
    const same = since === range.epoch && epoch > since && at === range.start;
    return same && at !== '' && !isEmptyRange(range) ? null : 'the range has changed since the merge began';
  }
  if (epoch !== range.epoch + 1) return 'the range has changed since the split began';
  return isInside(range, at) ? null : 'the key at which to split is not inside of the range';
};

/**
 * Whether a hand-over of all keys may still be granted, or was: `barred` is the range in whose epoch it never will be. Pure.
 */
export const judgeBar = (
  { range, handed }: Pick<SourceFacts, 'range' | 'handed'>,
  { to, epoch, since }: Pick<HandOver, 'to' | 'epoch'> & { readonly since: number },
): 'handed' | 'never' | { readonly barred: KeyRange } => {
  if (handed?.to === to && handed.range.epoch === epoch) return 'handed';
  // Epochs only grow.
  return range === null || range.epoch !== since ? 'never' : { barred: { ...range, epoch } };
};

/** Whether the source gives keys away. Safe to ask again: the epoch tells this hand-over from every other one. Pure. */
export const judgeHandOver = ({ range, handed, term, time }: SourceFacts, asked: HandOver): HandOverVerdict => {
  if (range === null) return refused('the shard does not know its range yet');
  if (handed !== null) {
    return isSame(handed, asked) ? { kind: 'done' } : refused(`the keys of the shard are on their way to ${handed.to}`);
  }
  const reason = objection(range, asked);
  if (reason !== null) return refused(reason);
  const { at, to, epoch } = asked;
  const since = { terms: range.terms + term, time: Math.max(range.time, time) };
  return {
    kind: 'hand-over',
    keeps: { ...range, end: at, epoch },
    handed: { to, range: { start: at, end: range.end, epoch, ...since } },
  };
};
