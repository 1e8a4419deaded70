import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { countArgument, smallInteger, syntaxError } from './arguments.ts';
import { oneKey, twoKeys, type KeyCommand } from './command.ts';
import { indexRange, List } from './list-places.ts';

const list = { kind: 'keys', keys: oneKey, group: 'list', across: 'refuse' } as const;

type End = 'LEFT' | 'RIGHT';

const pushing = (name: string, end: End, onlyExisting: boolean, summary: string): KeyCommand => ({
  ...list,
  name,
  arity: -3,
  flags: ['write', 'denyoom', 'fast'],
  summary,
  evaluate(view, frame, reply) {
    const target = new List(view, frame.key(1));
    if (onlyExisting && !target.existed) return reply.integer(0);
    for (let i = 2; i < frame.count; i++) target.push(end, frame.argument(i));
    target.save();
    reply.integer(target.length);
  },
});

const popping = (name: string, end: End, summary: string): KeyCommand => ({
  ...list,
  name,
  arity: -2,
  flags: ['write', 'fast'],
  summary,
  evaluate(view, frame, reply) {
    if (frame.count > 3) throw new DbError('ERR', `wrong number of arguments for '${name.toLowerCase()}' command`);
    const many = frame.count === 3;
    const count = many ? countArgument(frame, 2) : 1;
    const source = new List(view, frame.key(1));
    if (!source.existed) return many ? reply.nilArray() : reply.nil();
    const popped = Math.min(count, source.length);
    if (many) reply.array(popped);
    for (let i = 0; i < popped; i++) reply.bulk(source.pop(end));
    if (popped > 0) source.save();
  },
});

const reading = (
  name: string,
  arity: number,
  summary: string,
  read: (source: List, frame: Frame, reply: ReplyWriter) => void,
): KeyCommand => ({
  ...list,
  name,
  arity,
  flags: ['readonly'],
  summary,
  evaluate: (view, frame, reply) => read(new List(view, frame.key(1)), frame, reply),
});

const lrange: KeyCommand = {
  ...list,
  name: 'LRANGE',
  arity: 4,
  flags: ['readonly'],
  summary: 'Returns a range of elements of a list.',
  evaluate(view, frame, reply) {
    const [start, stop] = [smallInteger(frame, 2), smallInteger(frame, 3)];
    const source = new List(view, frame.key(1));
    const { from, to } = indexRange(start, stop, source.length);
    reply.array(to - from);
    for (const value of source.values(from, to)) reply.bulk(value);
  },
};

const ltrim: KeyCommand = {
  ...list,
  name: 'LTRIM',
  arity: 4,
  flags: ['write'],
  summary: 'Keeps a range of elements of a list and removes the others.',
  evaluate(view, frame, reply) {
    const [start, stop] = [smallInteger(frame, 2), smallInteger(frame, 3)];
    const target = new List(view, frame.key(1));
    const { from, to } = indexRange(start, stop, target.length);
    if (to - from < target.length) {
      target.keep(from, to);
      target.save();
    }
    reply.ok();
  },
};

const lset: KeyCommand = {
  ...list,
  name: 'LSET',
  arity: 4,
  flags: ['write', 'denyoom'],
  summary: 'Sets an element of a list by its index.',
  evaluate(view, frame, reply) {
    const target = new List(view, frame.key(1));
    if (!target.existed) throw new DbError('ERR', 'no such key');
    const index = smallInteger(frame, 2);
    const at = index < 0 ? target.length + index : index;
    if (at < 0 || at >= target.length) throw new DbError('ERR', 'index out of range');
    target.set(at, frame.argument(3));
    target.save();
    reply.ok();
  },
};

/** Indexes of the elements that equal a value, from the end when `reverse`; at most `limit`, 0 = all. */
const find = (source: List, value: Buffer, reverse: boolean, limit: number): number[] => {
  const found: number[] = [];
  const most = limit === 0 ? source.length : limit;
  for (let i = 0; i < source.length && found.length < most; i++) {
    const index = reverse ? source.length - 1 - i : i;
    if (source.at(index).equals(value)) found.push(index);
  }
  return found;
};

const lrem: KeyCommand = {
  ...list,
  name: 'LREM',
  arity: 4,
  flags: ['write'],
  summary: 'Removes elements of a list that equal a value.',
  evaluate(view, frame, reply) {
    const count = smallInteger(frame, 2);
    const target = new List(view, frame.key(1));
    const found = new Set(find(target, frame.argument(3), count < 0, Math.abs(count)));
    if (found.size > 0) {
      target.replace(target.slice(0, target.length).filter((_, i) => !found.has(i)));
      target.save();
    }
    reply.integer(found.size);
  },
};

const linsert: KeyCommand = {
  ...list,
  name: 'LINSERT',
  arity: 5,
  flags: ['write', 'denyoom'],
  summary: 'Inserts an element before or after the first that equals a value.',
  evaluate(view, frame, reply) {
    const where = frame.word(2);
    if (where !== 'BEFORE' && where !== 'AFTER') throw syntaxError();
    const target = new List(view, frame.key(1));
    if (!target.existed) return reply.integer(0);
    const [pivot] = find(target, frame.argument(3), false, 1);
    if (pivot === undefined) return reply.integer(-1);
    target.insert(where === 'BEFORE' ? pivot : pivot + 1, frame.argument(4));
    target.save();
    reply.integer(target.length);
  },
};

interface PositionOptions {
  readonly rank: number;
  /** Null: one, answered as a number. */
  readonly count: number | null;
  readonly limit: number;
}

/** One option of LPOS. @throws DbError */
const positionOption = (frame: Frame, i: number): Partial<PositionOptions> => {
  const word = frame.word(i);
  if (i + 1 >= frame.count) throw syntaxError();
  const value = smallInteger(frame, i + 1);
  if (word === 'RANK') {
    if (value === 0) {
      throw new DbError(
        'ERR',
        "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
      );
    }
    return { rank: value };
  }
  if (word !== 'COUNT' && word !== 'MAXLEN') throw syntaxError();
  if (value < 0) throw new DbError('ERR', `${word} can't be negative`);
  return word === 'COUNT' ? { count: value } : { limit: value };
};

const positionOptions = (frame: Frame): PositionOptions => {
  let options: PositionOptions = { rank: 1, count: null, limit: 0 };
  for (let i = 3; i < frame.count; i += 2) options = { ...options, ...positionOption(frame, i) };
  return options;
};

const positions = (source: List, value: Buffer, { rank, count, limit }: PositionOptions): number[] => {
  const found: number[] = [];
  const wanted = count === 0 ? source.length : (count ?? 1);
  const examined = limit === 0 ? source.length : Math.min(limit, source.length);
  let skip = Math.abs(rank) - 1;
  for (let i = 0; i < examined && found.length < wanted; i++) {
    const index = rank < 0 ? source.length - 1 - i : i;
    if (!source.at(index).equals(value)) continue;
    if (skip-- <= 0) found.push(index);
  }
  return found;
};

const lpos: KeyCommand = {
  ...list,
  name: 'LPOS',
  arity: -3,
  flags: ['readonly'],
  summary: 'Returns indexes of elements that equal a value.',
  evaluate(view, frame, reply) {
    const options = positionOptions(frame);
    const found = positions(new List(view, frame.key(1)), frame.argument(2), options);
    if (options.count === null) return found[0] === undefined ? reply.nil() : reply.integer(found[0]);
    reply.array(found.length);
    for (const index of found) reply.integer(index);
  },
};

const lindex = reading('LINDEX', 3, 'Returns an element of a list by its index.', (source, frame, reply) => {
  const index = source.existed ? smallInteger(frame, 2) : 0;
  const at = index < 0 ? source.length + index : index;
  if (at < 0 || at >= source.length) reply.nil();
  else reply.bulk(source.at(at));
});

const moving = (name: string, arity: number, ends: (frame: Frame) => [End, End]): KeyCommand => ({
  ...list,
  keys: twoKeys,
  name,
  arity,
  flags: ['write', 'denyoom'],
  summary: 'Moves an element from the end of one list to the end of another in the same shard.',
  evaluate(view, frame, reply) {
    const [from, to] = ends(frame);
    const source = new List(view, frame.key(1));
    if (!source.existed) return reply.nil();
    const same = frame.key(1) === frame.key(2);
    const target = same ? source : new List(view, frame.key(2));
    const value = source.pop(from);
    target.push(to, value);
    source.save();
    if (!same) target.save();
    reply.bulk(value);
  },
});

const endArgument = (frame: Frame, i: number): End => {
  const word = frame.word(i);
  if (word !== 'LEFT' && word !== 'RIGHT') throw syntaxError();
  return word;
};

export const listCommands: readonly KeyCommand[] = [
  pushing('LPUSH', 'LEFT', false, 'Puts elements before the first of a list.'),
  pushing('RPUSH', 'RIGHT', false, 'Puts elements after the last of a list.'),
  pushing('LPUSHX', 'LEFT', true, 'As LPUSH, when the list exists.'),
  pushing('RPUSHX', 'RIGHT', true, 'As RPUSH, when the list exists.'),
  popping('LPOP', 'LEFT', 'Removes the first elements of a list and returns them.'),
  popping('RPOP', 'RIGHT', 'Removes the last elements of a list and returns them.'),
  reading('LLEN', 2, 'Returns the length of a list.', (source, _frame, reply) => reply.integer(source.length)),
  lrange,
  lindex,
  lset,
  ltrim,
  lrem,
  linsert,
  lpos,
  moving('LMOVE', 5, (frame) => [endArgument(frame, 3), endArgument(frame, 4)]),
  moving('RPOPLPUSH', 3, () => ['RIGHT', 'LEFT']),
];
