import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import { valueType } from '../store/row.ts';
import { allKeys, type KeyCommand } from './command.ts';
import type { View } from './view.ts';

export const mget: KeyCommand = {
  kind: 'keys',
  name: 'MGET',
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: allKeys,
  group: 'string',
  summary: 'Returns the values of several keys. Atomic within a shard; keys of several shards are read one by one.',
  across: 'list',
  evaluate(view, frame, reply) {
    reply.array(frame.count - 1);
    for (let i = 1; i < frame.count; i++) {
      const row = view.get(frame.key(i));
      if (row?.type === valueType.string) reply.bulk(row.value);
      else reply.nil();
    }
  },
};

const pairs = { first: 1, last: -1, step: 2 } as const;

const requirePairs = (frame: Frame, name: string): void => {
  if (frame.count % 2 === 0) throw new DbError('ERR', `wrong number of arguments for '${name}' command`);
};

const putAll = (view: View, frame: Frame): void => {
  for (let i = 1; i < frame.count; i += 2) view.put(frame.key(i), frame.argument(i + 1), 0);
};

export const mset: KeyCommand = {
  kind: 'keys',
  name: 'MSET',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: pairs,
  group: 'string',
  summary: 'Sets several keys at once, atomically.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    requirePairs(frame, 'mset');
    putAll(view, frame);
    reply.ok();
  },
};

export const msetnx: KeyCommand = {
  kind: 'keys',
  name: 'MSETNX',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: pairs,
  group: 'string',
  summary: 'Sets several keys at once when none of them exists. Atomic, so all of them have to live in one shard.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    requirePairs(frame, 'msetnx');
    for (let i = 1; i < frame.count; i += 2) if (view.get(frame.key(i))) return reply.integer(0);
    putAll(view, frame);
    reply.integer(1);
  },
};
