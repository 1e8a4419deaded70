import { integerArgument, positiveExpiry, syntaxError, timeUnits } from './arguments.ts';
import { stringAt } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';
import type { Frame } from '../resp/frame.ts';
import type { View } from './view.ts';

export const getdel: KeyCommand = {
  kind: 'keys',
  name: 'GETDEL',
  arity: 2,
  flags: ['write', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Returns the value of a key and removes the key.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const key = frame.key(1);
    const row = stringAt(view, key);
    if (!row) return reply.nil();
    reply.bulk(row.value);
    view.remove(key);
  },
};

/** The new expiry that GETEX asks for, once the key is found; null: leave it. @throws DbError */
const newExpiry = (view: View, frame: Frame): (() => number | null) => {
  if (frame.count === 2) return () => null;
  const word = frame.word(2);
  if (word === 'PERSIST' && frame.count === 3) return () => 0;
  if (!timeUnits[word] || frame.count !== 4) throw syntaxError();
  return () => positiveExpiry(view, integerArgument(frame, 3), word, 'getex');
};

export const getex: KeyCommand = {
  kind: 'keys',
  name: 'GETEX',
  arity: -2,
  flags: ['write', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Returns the value of a key and sets or removes its time to live.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const expiry = newExpiry(view, frame);
    const key = frame.key(1);
    const row = stringAt(view, key);
    if (!row) return reply.nil();
    const at = expiry();
    reply.bulk(row.value);
    if (at !== null && at !== row.expireAt) view.expire(key, at);
  },
};
