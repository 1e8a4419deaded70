import { DbError } from '../db-error.ts';
import { typeName, valueType, type Row } from '../store/row.ts';
import { decodeHead } from '../store/head.ts';
import { smallInteger, syntaxError, parseInteger } from './arguments.ts';
import { oneKey, twoKeys, type KeyCommand } from './command.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
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

/** How a value would be kept by Redis: clients ask for it, nothing depends on it. */
const encodingOf = (row: Row): string => {
  if (row.type === valueType.hash || row.type === valueType.zset) {
    return row.type === valueType.hash ? 'hashtable' : 'skiplist';
  }
  if (row.type === valueType.set) return 'hashtable';
  if (row.type === valueType.list) return 'quicklist';
  if (row.value.length <= 20 && parseInteger(row.value.toString('latin1')) !== null) return 'int';
  return row.value.length <= 44 ? 'embstr' : 'raw';
};

type Facts = (row: Row, reply: ReplyWriter) => void;

const objectFacts: Readonly<Record<string, Facts>> = {
  ENCODING: (row, reply) => reply.bulk(encodingOf(row)),
  REFCOUNT: (_row, reply) => reply.integer(1),
  IDLETIME: (_row, reply) => reply.integer(0),
  FREQ: () => {
    throw new DbError('ERR', 'An LFU maxmemory policy is not selected, access frequency not tracked.');
  },
};

const help = (reply: ReplyWriter, lines: readonly string[]): void => {
  reply.array(lines.length);
  for (const line of lines) reply.simple(line);
};

const requireCount = (frame: Frame, count: number, name: string): void => {
  if (frame.count !== count) throw new DbError('ERR', `wrong number of arguments for '${name}' command`);
};

const object: KeyCommand = {
  ...generic,
  keys: { first: 2, last: 2, step: 1 },
  name: 'OBJECT',
  arity: -2,
  flags: ['readonly'],
  summary: 'Tells how a value is kept.',
  evaluate(view, frame, reply) {
    const word = frame.word(1);
    if (word === 'HELP') {
      return help(reply, [
        'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
        'ENCODING <key>',
        'REFCOUNT <key>',
        'IDLETIME <key>',
        'HELP',
      ]);
    }
    const facts = objectFacts[word];
    if (!facts) throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try OBJECT HELP.`);
    requireCount(frame, 3, `object|${word.toLowerCase()}`);
    const row = view.get(frame.key(2));
    if (row) facts(row, reply);
    else reply.nil();
  },
};

/** Bytes that a row takes beyond its key and value, roughly. */
const rowBytes = 64;
/** Elements whose mean size stands for all, as in Redis. */
const defaultSamples = 5;

const usage = (view: View, key: string, row: Row, samples: number): number => {
  const own = rowBytes + key.length + row.value.length;
  if (row.type === valueType.string) return own;
  const { generation } = decodeHead(row.value);
  let [seen, bytes] = [0, 0];
  for (const { name, value } of view.elements(generation, {})) {
    bytes += rowBytes / 2 + name.length + value.length;
    if (++seen === samples) break;
  }
  const elements = seen < samples || samples === 0 ? seen : view.countElements(generation, {});
  return Math.round(own + (bytes / Math.max(1, seen)) * elements);
};

const memory: KeyCommand = {
  ...generic,
  keys: { first: 2, last: 2, step: 1 },
  name: 'MEMORY',
  arity: -2,
  flags: ['readonly'],
  summary: 'MEMORY USAGE tells about how many bytes a key and its value take.',
  evaluate(view, frame, reply) {
    const word = frame.word(1);
    if (word === 'HELP') return help(reply, ['MEMORY USAGE <key> [SAMPLES <count>]']);
    if (word !== 'USAGE')
      throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try MEMORY HELP.`);
    if (frame.count < 3) throw new DbError('ERR', "wrong number of arguments for 'memory|usage' command");
    const sampled = frame.count === 5 && frame.word(3) === 'SAMPLES';
    if (frame.count > 3 && !sampled) throw syntaxError();
    const samples = sampled ? smallInteger(frame, 4) : defaultSamples;
    if (samples < 0) throw syntaxError();
    const row = view.get(frame.key(2));
    if (row) reply.integer(usage(view, frame.key(2), row, samples));
    else reply.nil();
  },
};

export const genericCommands: readonly KeyCommand[] = [
  renaming('RENAME', 'Gives a value another key.'),
  renaming('RENAMENX', 'Gives a value another key, when that is free.'),
  copy,
  object,
  memory,
];
