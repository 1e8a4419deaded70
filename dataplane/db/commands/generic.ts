import { DbError } from '../db-error.ts';
import { typeName, valueType, type Row } from '../store/row.ts';
import { syntaxError } from './arguments.ts';
import { oneKey, twoKeys, type KeyCommand } from './command.ts';
import { memory, object } from './value-facts.ts';
import type { View } from './view.ts';

const generic = { kind: 'keys', keys: oneKey, group: 'generic', across: 'refuse' } as const;

/** Type of a row as TYPE and SCAN name it. */
export const shownType = (row: Row): string => typeName(row.type) ?? 'none';

/** Moves a row; the elements of a collection follow it, because they are known by its generation. */
const rename = (view: View, from: string, to: string, row: Row): void => {
  if (from === to) return;
  const value = Buffer.from(row.value);
  view.remove(from);
  view.put(to, value, row.expireAt, row.type);
};

const renaming = (name: 'RENAME' | 'RENAMENX', summary: string): KeyCommand => ({
  ...generic,
  keys: twoKeys,
  name,
  arity: 3,
  flags: ['write', 'fast'],
  summary,
  evaluate(view, frame, reply) {
    const [from, to] = [frame.key(1), frame.key(2)];
    const row = view.get(from);
    if (!row) throw new DbError('ERR', 'no such key');
    if (name === 'RENAME') {
      rename(view, from, to, row);
      return reply.ok();
    }
    const taken = view.get(to) !== undefined;
    if (!taken) rename(view, from, to, view.get(from) ?? row);
    reply.integer(taken ? 0 : 1);
  },
});

const copy: KeyCommand = {
  ...generic,
  keys: twoKeys,
  name: 'COPY',
  arity: -3,
  flags: ['write', 'denyoom'],
  summary: 'Copies a string to another key of the same shard. Collections are not copied: it would have no bound.',
  evaluate(view, frame, reply) {
    const replace = frame.count === 4 && frame.word(3) === 'REPLACE';
    if (frame.count > 3 && !replace) throw syntaxError();
    const [from, to] = [frame.key(1), frame.key(2)];
    if (from === to) throw new DbError('ERR', 'source and destination objects are the same');
    if (!replace && view.get(to)) return reply.integer(0);
    const row = view.get(from);
    if (!row) return reply.integer(0);
    if (row.type !== valueType.string)
      throw new DbError('ERR', 'COPY takes strings only: a collection would have to be copied whole');
    view.put(to, Buffer.from(row.value), row.expireAt);
    reply.integer(1);
  },
};

export const genericCommands: readonly KeyCommand[] = [
  renaming('RENAME', 'Gives a value another key.'),
  renaming('RENAMENX', 'Gives a value another key, when that is free.'),
  copy,
  object,
  memory,
];
