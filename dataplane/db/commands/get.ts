import { stringAt } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';

export const get: KeyCommand = {
  kind: 'keys',
  name: 'GET',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Returns the string value of a key.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const row = stringAt(view, frame.key(1));
    if (row) reply.bulk(row.value);
    else reply.nil();
  },
};

export const strlen: KeyCommand = {
  kind: 'keys',
  name: 'STRLEN',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Returns the length of a string value.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    reply.integer(stringAt(view, frame.key(1))?.value.length ?? 0);
  },
};
