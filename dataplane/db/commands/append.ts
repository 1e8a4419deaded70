import { DbError } from '../db-error.ts';
import { maxValueBytes } from '../limits.ts';
import { smallInteger } from './arguments.ts';
import { stringAt } from './collection.ts';
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
    const row = stringAt(view, key);
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
    const value = stringAt(view, frame.key(1))?.value;
    if (!value) return reply.bulk('');
    if (start < 0 && end < 0 && start > end) return reply.bulk('');
    // As in Redis an end before the beginning is the first byte.
    const [from, to] = [start, end].map((at) => Math.max(0, at < 0 ? value.length + at : at));
    reply.bulk(value.subarray(from, Math.max(from ?? 0, (to ?? 0) + 1)));
  },
};
