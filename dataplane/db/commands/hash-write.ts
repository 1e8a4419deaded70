import { DbError } from '../db-error.ts';
import { maxValueBytes } from '../limits.ts';
import type { Frame } from '../resp/frame.ts';
import { valueType } from '../store/row.ts';
import { fitsInteger, integerArgument, parseInteger } from './arguments.ts';
import { Collection, elementArgument } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';
import { addDecimals, parseDouble } from './decimal.ts';
import { hashedName } from './hashed-name.ts';
import type { View } from './view.ts';

const hash = { kind: 'keys', keys: oneKey, group: 'hash', across: 'refuse' } as const;
const writes = ['write', 'denyoom', 'fast'] as const;

const hashAt = (view: View, frame: Frame): Collection => new Collection(view, frame.key(1), valueType.hash);

/** Sets all pairs from argument 2 on; answers how many fields are new. */
const setPairs = (view: View, frame: Frame, name: string): number => {
  if (frame.count % 2 !== 0) throw new DbError('ERR', `wrong number of arguments for '${name}' command`);
  const names: string[] = [];
  for (let i = 2; i < frame.count; i += 2) names.push(hashedName(elementArgument(frame, i)));
  const collection = hashAt(view, frame);
  const before = collection.count;
  for (const [i, field] of names.entries()) {
    if (!collection.has(field)) collection.count++;
    collection.set(field, frame.argument(2 * i + 3));
  }
  collection.save();
  return collection.count - before;
};

export const hset: KeyCommand = {
  ...hash,
  name: 'HSET',
  arity: -4,
  flags: writes,
  summary: 'Sets fields of a hash and returns how many are new.',
  evaluate(view, frame, reply) {
    reply.integer(setPairs(view, frame, 'hset'));
  },
};

export const hmset: KeyCommand = {
  ...hash,
  name: 'HMSET',
  arity: -4,
  flags: writes,
  summary: 'Sets fields of a hash.',
  evaluate(view, frame, reply) {
    setPairs(view, frame, 'hmset');
    reply.ok();
  },
};

export const hsetnx: KeyCommand = {
  ...hash,
  name: 'HSETNX',
  arity: 4,
  flags: writes,
  summary: 'Sets a field of a hash only when it does not exist.',
  evaluate(view, frame, reply) {
    const field = hashedName(elementArgument(frame, 2));
    const collection = hashAt(view, frame);
    if (collection.has(field)) return reply.integer(0);
    collection.set(field, frame.argument(3));
    collection.count++;
    collection.save();
    reply.integer(1);
  },
};

export const hdel: KeyCommand = {
  ...hash,
  name: 'HDEL',
  arity: -3,
  flags: ['write', 'fast'],
  summary: 'Removes fields of a hash and returns how many there were.',
  evaluate(view, frame, reply) {
    const collection = hashAt(view, frame);
    let removed = 0;
    for (let i = 2; i < frame.count; i++) {
      const field = hashedName(frame.key(i));
      if (!collection.has(field)) continue;
      collection.remove(field);
      removed++;
    }
    collection.count -= removed;
    if (removed > 0) collection.save();
    reply.integer(removed);
  },
};

/** Replaces a field by what comes of its old value. */
const change = (view: View, frame: Frame, next: (old: string | null) => string): string => {
  const field = hashedName(elementArgument(frame, 2));
  const collection = hashAt(view, frame);
  const old = collection.get(field);
  const value = next(old === undefined ? null : old.toString('latin1'));
  if (value.length > maxValueBytes)
    throw new DbError('ERR', `the value would exceed the limit of ${maxValueBytes} bytes`);
  collection.set(field, Buffer.from(value));
  if (old === undefined) collection.count++;
  collection.save();
  return value;
};

export const hincrby: KeyCommand = {
  ...hash,
  name: 'HINCRBY',
  arity: 4,
  flags: writes,
  summary: 'Adds to the integer in a field of a hash.',
  evaluate(view, frame, reply) {
    const by = integerArgument(frame, 3);
    const value = change(view, frame, (old) => {
      const before = parseInteger(old ?? '0');
      if (before === null) throw new DbError('ERR', 'hash value is not an integer');
      if (!fitsInteger(before + by)) throw new DbError('ERR', 'increment or decrement would overflow');
      return String(before + by);
    });
    reply.integer(BigInt(value));
  },
};

export const hincrbyfloat: KeyCommand = {
  ...hash,
  name: 'HINCRBYFLOAT',
  arity: 4,
  flags: writes,
  summary: 'Adds to the number in a field of a hash.',
  evaluate(view, frame, reply) {
    const by = frame.key(3);
    if (parseDouble(by) === null) throw new DbError('ERR', 'value is not a valid float');
    const value = change(view, frame, (old) => {
      const sum = addDecimals(old ?? '0', by);
      if (sum === null) throw new DbError('ERR', 'hash value is not a float');
      return sum;
    });
    reply.bulk(value);
  },
};

export const hashWrites: readonly KeyCommand[] = [hset, hmset, hsetnx, hdel, hincrby, hincrbyfloat];
