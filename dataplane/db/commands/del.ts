import { allKeys, noKeys, oneKey, type KeyCommand } from './command.ts';
import { shownType } from './generic.ts';

const removing = (name: 'DEL' | 'UNLINK', summary: string): KeyCommand => ({
  kind: 'keys',
  name,
  arity: -2,
  flags: ['write'],
  keys: allKeys,
  group: 'generic',
  summary,
  across: 'sum',
  evaluate(view, frame, reply) {
    let removed = 0;
    for (let i = 1; i < frame.count; i++) {
      const key = frame.key(i);
      if (!view.get(key)) continue;
      view.remove(key);
      removed++;
    }
    reply.integer(removed);
  },
});

export const del = removing(
  'DEL',
  'Removes keys. Atomic within a shard; keys of several shards are removed one by one.',
);
export const unlink = removing('UNLINK', 'Removes keys, as DEL does.');

const counting = (name: 'EXISTS' | 'TOUCH', summary: string): KeyCommand => ({
  kind: 'keys',
  name,
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: allKeys,
  group: 'generic',
  summary,
  across: 'sum',
  evaluate(view, frame, reply) {
    let found = 0;
    for (let i = 1; i < frame.count; i++) if (view.get(frame.key(i))) found++;
    reply.integer(found);
  },
});

export const exists = counting('EXISTS', 'Counts how many of the keys exist, a key named twice counting twice.');
export const touch = counting('TOUCH', 'Counts how many of the keys exist.');

export const type: KeyCommand = {
  kind: 'keys',
  name: 'TYPE',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey,
  group: 'generic',
  summary: 'Returns the type of the value at a key.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const row = view.get(frame.key(1));
    reply.simple(row ? shownType(row) : 'none');
  },
};

/** Removes everything in one shard; the gateway sends it to all. */
const flushing = (name: 'FLUSHALL' | 'FLUSHDB'): KeyCommand => ({
  kind: 'keys',
  name,
  arity: -1,
  flags: ['write'],
  keys: noKeys,
  group: 'server',
  summary: 'Removes all keys of the database, shard by shard.',
  across: 'every',
  evaluate(view, _frame, reply) {
    view.clear();
    reply.ok();
  },
});

export const flushall = flushing('FLUSHALL');
export const flushdb = flushing('FLUSHDB');
