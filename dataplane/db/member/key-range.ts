import { z } from 'zod';

/** Keys that a shard serves: from `start` on, before `end`; '' = from the lowest, to the highest. One character a byte. */
export interface KeyRange {
  readonly start: string;
  readonly end: string;
}

/** Name of the note that holds a shard's range: what is in its log outranks the directory. */
export const rangeNote = 'range';

export const everything: KeyRange = { start: '', end: '' };

const stored = z.object({ start: z.string(), end: z.string() });

export const encodeRange = ({ start, end }: KeyRange): Buffer => Buffer.from(JSON.stringify({ start, end }));

export const decodeRange = (bytes: Buffer): KeyRange => stored.parse(JSON.parse(bytes.toString()));

export const holds = ({ start, end }: KeyRange, key: string): boolean => key >= start && (end === '' || key < end);

/** A key of the directory, which holds text. */
export const keyOfText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
