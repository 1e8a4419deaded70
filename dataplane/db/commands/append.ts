import { DbError } from '../db-error.ts';
import { maxValueBytes } from '../limits.ts';
import { smallInteger } from './arguments.ts';
import { oneKey, type KeyCommand } from './command.ts';

export const append: KeyCommand = {
  kind: 'keys',
  name: 'APPEND',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Appends to the string at a key and returns the new length.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const key = frame.key(1);
    const row = view.get(key);
    const length = (row?.value.length ?? 0) + frame.lengthOf(2);
    if (length > maxValueBytes) throw new DbError('ERR', `the value would exceed the limit of ${maxValueBytes} bytes`);
    view.put(key, row ? Buffer.concat([row.value, frame.argument(2)]) : frame.argument(2), row?.expireAt ?? 0);
    reply.integer(length);
  },
};

export const getrange: KeyCommand = {
  kind: 'keys',
  name: 'GETRANGE',
  arity: 4,
  flags: ['readonly'],
  keys: oneKey,
  group: 'string',
  summary: 'Returns a part of the string at a key; negative offsets count from its end.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const [start, end] = [smallInteger(frame, 2), smallInteger(frame, 3)];
    const value = view.get(frame.key(1))?.value;
    if (!value) return reply.bulk('');
    const from = Math.max(start < 0 ? value.length + start : start, 0);
    const to = (end < 0 ? value.length + end : end) + 1;
    reply.bulk(value.subarray(from, Math.max(from, to)));
  },
};
