import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { fitsInteger, integerArgument, parseInteger } from './arguments.ts';
import { stringAt } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';
import type { View } from './view.ts';

/** Adds to the integer at a key, which counts from 0. Its time to live stays. */
const add = (view: View, key: string, by: bigint, reply: ReplyWriter): void => {
  const row = stringAt(view, key);
  const old = row ? parseInteger(row.value.toString('latin1')) : 0n;
  if (old === null) throw new DbError('ERR', 'value is not an integer or out of range');
  const value = old + by;
  if (!fitsInteger(value)) throw new DbError('ERR', 'increment or decrement would overflow');
  view.put(key, Buffer.from(String(value)), row?.expireAt ?? 0);
  reply.integer(value);
};

const counter = (name: string, summary: string, amount: null | ((frame: Frame) => bigint)): KeyCommand => ({
  kind: 'keys',
  name,
  arity: amount ? 3 : 2,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey,
  group: 'string',
  summary,
  across: 'refuse',
  evaluate(view, frame, reply) {
    add(view, frame.key(1), amount ? amount(frame) : name === 'INCR' ? 1n : -1n, reply);
  },
});

export const incr = counter('INCR', 'Adds one to the integer at a key.', null);
export const decr = counter('DECR', 'Takes one from the integer at a key.', null);
export const incrby = counter('INCRBY', 'Adds a number to the integer at a key.', (frame) => integerArgument(frame, 2));
export const decrby = counter('DECRBY', 'Takes a number from the integer at a key.', (frame) => {
  const by = integerArgument(frame, 2);
  if (!fitsInteger(-by)) throw new DbError('ERR', 'decrement would overflow');
  return -by;
});
