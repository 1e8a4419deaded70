import { DbError } from '../db-error.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { decodeHead } from '../store/head.ts';
import { valueType, type Row } from '../store/row.ts';
import { parseInteger, smallInteger, syntaxError } from './arguments.ts';
import { container, type Subcommand } from './container.ts';
import type { View } from './view.ts';

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

const fact = (word: string, tell: (row: Row, reply: ReplyWriter) => void): Subcommand => ({
  arity: 3,
  usage: `${word} <key>`,
  run(view, frame, reply) {
    const row = view.get(frame.key(2));
    if (row) tell(row, reply);
    else reply.nil();
  },
});

export const object = container('OBJECT', 'Tells how a value is kept.', {
  ENCODING: fact('ENCODING', (row, reply) => reply.bulk(encodingOf(row))),
  REFCOUNT: fact('REFCOUNT', (_row, reply) => reply.integer(1)),
  IDLETIME: fact('IDLETIME', (_row, reply) => reply.integer(0)),
  FREQ: fact('FREQ', () => {
    throw new DbError('ERR', 'An LFU maxmemory policy is not selected, access frequency not tracked.');
  }),
});

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

const usageOfKey: Subcommand = {
  arity: -3,
  usage: 'USAGE <key> [SAMPLES <count>]',
  run(view, frame, reply) {
    const sampled = frame.count === 5 && frame.word(3) === 'SAMPLES';
    if (frame.count > 3 && !sampled) throw syntaxError();
    const samples = sampled ? smallInteger(frame, 4) : defaultSamples;
    if (samples < 0) throw syntaxError();
    const row = view.get(frame.key(2));
    if (row) reply.integer(usage(view, frame.key(2), row, samples));
    else reply.nil();
  },
};

export const memory = container('MEMORY', 'MEMORY USAGE tells about how many bytes a key and its value take.', {
  USAGE: usageOfKey,
});
