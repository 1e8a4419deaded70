import { z } from 'zod';
import { maxEpoch, type KeyBounds, type KeyRange } from '../store/key-range.ts';

/** What the new shard asks of the one that is split. Keys from `at` on are to be its own. */
export interface HandOver {
  readonly at: string;
  /** Name of the new shard. */
  readonly to: string;
  /** The new shard's epoch: one more than the source had when the split began. */
  readonly epoch: number;
}

/** In the source's log from the moment on that keys are no longer its own, until the new shard has them. */
export interface Handed {
  readonly to: string;
  /** The range of the new shard. */
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
const objection = (range: KeyRange, { at, epoch }: HandOver): string | null => {
  if (epoch !== range.epoch + 1) return 'the range has changed since the split began';
  if (epoch > maxEpoch) return 'the keys have changed hands too often';
  return isInside(range, at) ? null : 'the key at which to split is not inside of the range';
};

/** Whether the source gives keys away. Safe to ask again: the epoch tells this split from every other one. Pure. */
export const judgeHandOver = ({ range, handed, term, time }: SourceFacts, asked: HandOver): HandOverVerdict => {
  if (range === null) return refused('the shard does not know its range yet');
  if (handed !== null) {
    return isSame(handed, asked) ? { kind: 'done' } : refused(`the shard is being split with ${handed.to}`);
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
