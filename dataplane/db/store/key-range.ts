import { z } from 'zod';

/**
 * Keys that a shard serves: from `start` on, before `end`; '' = from the lowest, to the highest. One character a byte.
 * A range that ends where it starts, which is not '', holds no key.
 */
export interface KeyBounds {
  readonly start: string;
  readonly end: string;
}

/** The keys of a shard, and what it has to stay above since some of them were another shard's. */
export interface KeyRange extends KeyBounds {
  /** Grows whenever keys change hands: of two shards that ever served a key the later one has the higher epoch. */
  readonly epoch: number;
  /** Added to the shard's own terms it makes them higher than all under which others served its keys. */
  readonly terms: number;
  /** Log time that others had reached when they served its keys last, milliseconds. */
  readonly time: number;
}

/** Name of the note that holds a shard's range: what is in its log outranks the directory. */
export const rangeNote = 'range';

/** Name of the note that says that rows of other shards may lie here: after a split, until they are swept. */
export const straysNote = 'strays';

/** A range that never changed hands. */
export const firstRange = ({ start, end }: KeyBounds): KeyRange => ({ start, end, epoch: 0, terms: 0, time: 0 });

export const everything: KeyRange = firstRange({ start: '', end: '' });

/** Ranges that were noted before they could change hands are first ones. */
const stored = z.object({
  start: z.string(),
  end: z.string(),
  epoch: z.number().default(0),
  terms: z.number().default(0),
  time: z.number().default(0),
});

export const encodeRange = (range: KeyRange): Buffer => Buffer.from(JSON.stringify(range));

export const decodeRange = (bytes: Buffer): KeyRange => stored.parse(JSON.parse(bytes.toString()));

export const holds = ({ start, end }: KeyBounds, key: string): boolean => key >= start && (end === '' || key < end);

/** What two ranges have in common; an empty range if that is nothing. */
export const overlap = (a: KeyBounds, b: KeyBounds): KeyBounds => {
  const start = a.start > b.start ? a.start : b.start;
  const end = a.end === '' || (b.end !== '' && b.end < a.end) ? b.end : a.end;
  return { start, end: end !== '' && end < start ? start : end };
};

/** First key after all those with a prefix; '' = there is none. */
export const endOfPrefix = (prefix: string): string => {
  const head = prefix.replace(/\xff+$/, '');
  const last = head.length - 1;
  return last < 0 ? '' : head.slice(0, last) + String.fromCharCode(head.charCodeAt(last) + 1);
};

/** Epochs fit above so many sequences of a log into a version: 2^40 entries are 34 years at 1,000 a second. */
const sequencesOfEpoch = 2 ** 40;

/** Highest epoch: versions above it were no exact numbers. */
export const maxEpoch = 2 ** 13 - 1;

/**
 * Version of what an entry writes. It never repeats for a key, whichever shards have served it, because sequences repeat
 * only in other logs, and those have had another epoch.
 */
export const versionAt = (range: KeyRange | null, seq: number): number => (range?.epoch ?? 0) * sequencesOfEpoch + seq;

/** A key of the directory, which holds text. */
export const keyOfText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** The text of a key that {@link keyOfText} made. */
export const textOfKey = (key: string): string => Buffer.from(key, 'latin1').toString('utf8');
