import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { Row } from '../store/row.ts';
import { expiryTime, integerArgument } from './arguments.ts';
import { oneKey, type KeyCommand } from './command.ts';

type Condition = (row: Row, at: number) => boolean;

/** NX, XX, GT and LT of EXPIRE; no expiry counts as an infinite one for GT and LT. */
const conditions: Readonly<Record<string, Condition>> = {
  NX: (row) => row.expireAt === 0,
  XX: (row) => row.expireAt !== 0,
  GT: (row, at) => row.expireAt !== 0 && at > row.expireAt,
  LT: (row, at) => row.expireAt === 0 || at < row.expireAt,
};

/** All conditions of a command. @throws DbError */
const parseConditions = (frame: Frame): Condition[] => {
  const words = Array.from({ length: frame.count - 3 }, (_, i) => frame.word(i + 3));
  const found = words.map((word) => {
    const condition = conditions[word];
    if (!condition) throw new DbError('ERR', `Unsupported option ${word.slice(0, 64)}`);
    return condition;
  });
  if (words.includes('NX') && new Set(words).size > 1) {
    throw new DbError('ERR', 'NX and XX, GT or LT options at the same time are not compatible');
  }
  if (words.includes('GT') && words.includes('LT')) {
    throw new DbError('ERR', 'GT and LT options at the same time are not compatible');
  }
  return found;
};

const expiring = (name: string, unit: string, summary: string): KeyCommand => ({
  kind: 'keys',
  name,
  arity: -3,
  flags: ['write', 'fast'],
  keys: oneKey,
  group: 'generic',
  summary,
  across: 'refuse',
  evaluate(view, frame, reply) {
    const at = expiryTime(view, integerArgument(frame, 2), unit, name.toLowerCase());
    const wanted = parseConditions(frame);
    const key = frame.key(1);
    const row = view.get(key);
    if (!row || !wanted.every((condition) => condition(row, at))) return reply.integer(0);
    if (at <= view.now) view.remove(key);
    else view.expire(key, at);
    reply.integer(1);
  },
});

export const expire = expiring('EXPIRE', 'EX', 'Sets the time to live of a key in seconds.');
export const pexpire = expiring('PEXPIRE', 'PX', 'Sets the time to live of a key in milliseconds.');
export const expireat = expiring('EXPIREAT', 'EXAT', 'Sets when a key expires, in seconds since 1970.');
export const pexpireat = expiring('PEXPIREAT', 'PXAT', 'Sets when a key expires, in milliseconds since 1970.');

export const persist: KeyCommand = {
  kind: 'keys',
  name: 'PERSIST',
  arity: 2,
  flags: ['write', 'fast'],
  keys: oneKey,
  group: 'generic',
  summary: 'Removes the time to live of a key.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const key = frame.key(1);
    const row = view.get(key);
    if (!row || row.expireAt === 0) return reply.integer(0);
    view.expire(key, 0);
    reply.integer(1);
  },
};
