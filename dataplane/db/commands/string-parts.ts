import { DbError } from '../db-error.ts';
import { maxValueBytes } from '../limits.ts';
import { smallInteger } from './arguments.ts';
import { stringAt } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';
import { addDecimals, parseDouble } from './decimal.ts';

const string = { kind: 'keys', keys: oneKey, group: 'string', across: 'refuse' } as const;

const setrange: KeyCommand = {
  ...string,
  name: 'SETRANGE',
  arity: 4,
  flags: ['write', 'denyoom'],
  summary: 'Overwrites a part of the string at a key and returns its length; what is missing before it becomes zeros.',
  evaluate(view, frame, reply) {
    const offset = smallInteger(frame, 2);
    if (offset < 0) throw new DbError('ERR', 'offset is out of range');
    const [key, part] = [frame.key(1), frame.argument(3)];
    const row = stringAt(view, key);
    const old = row?.value ?? Buffer.alloc(0);
    if (part.length === 0) return reply.integer(old.length);
    const length = Math.max(old.length, offset + part.length);
    if (length > maxValueBytes) throw new DbError('ERR', `the value would exceed the limit of ${maxValueBytes} bytes`);
    const value = Buffer.alloc(length);
    old.copy(value);
    part.copy(value, offset);
    view.put(key, value, row?.expireAt ?? 0);
    reply.integer(length);
  },
};

const incrbyfloat: KeyCommand = {
  ...string,
  name: 'INCRBYFLOAT',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  summary: 'Adds to the number at a key, exactly in decimal.',
  evaluate(view, frame, reply) {
    const [key, by] = [frame.key(1), frame.key(2)];
    const row = stringAt(view, key);
    const old = row ? row.value.toString('latin1') : '0';
    const sum = parseDouble(by) === null ? null : addDecimals(old, by);
    if (sum === null) throw new DbError('ERR', 'value is not a valid float');
    view.put(key, Buffer.from(sum), row?.expireAt ?? 0);
    reply.bulk(sum);
  },
};

export const stringParts: readonly KeyCommand[] = [setrange, incrbyfloat];
