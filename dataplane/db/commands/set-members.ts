import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Element } from '../store/reading.ts';
import { valueType } from '../store/row.ts';
import { countArgument, smallInteger, syntaxError } from './arguments.ts';
import { Collection, elementArgument } from './collection.ts';
import { readingOf } from './collection-read.ts';
import { oneKey, twoKeys, type KeyCommand } from './command.ts';
import { scanElements } from './element-scan.ts';
import { chooseRandom } from './hash-read.ts';
import { hashedName, nameOf } from './hashed-name.ts';
import { randomElement, randomElements } from './random-elements.ts';
import type { View } from './view.ts';

const set = { kind: 'keys', keys: oneKey, group: 'set', across: 'refuse' } as const;

/** Members have no value; LMDB wants one. */
export const member = Buffer.from([1]);

export const setAt = (view: View, key: string): Collection => new Collection(view, key, valueType.set);

/** Adds a member; answers whether it is new. */
export const addMember = (collection: Collection, name: string): boolean => {
  if (collection.has(name)) return false;
  collection.set(name, member);
  collection.count++;
  return true;
};

/** Removes a member; answers whether it was there. */
export const removeMember = (collection: Collection, name: string): boolean => {
  if (!collection.has(name)) return false;
  collection.remove(name);
  collection.count--;
  return true;
};

const writeMember = (reply: ReplyWriter, { name }: Element): void => reply.bulk(Buffer.from(nameOf(name), 'latin1'));

const changing = (
  name: 'SADD' | 'SREM',
  summary: string,
  change: (collection: Collection, hashed: string) => boolean,
): KeyCommand => ({
  ...set,
  name,
  arity: -3,
  flags: name === 'SADD' ? ['write', 'denyoom', 'fast'] : ['write', 'fast'],
  summary,
  evaluate(view, frame, reply) {
    const names = Array.from({ length: frame.count - 2 }, (_, i) => hashedName(elementArgument(frame, i + 2)));
    const collection = setAt(view, frame.key(1));
    const changed = names.filter((each) => change(collection, each)).length;
    if (changed > 0) collection.save();
    reply.integer(changed);
  },
});

const reading = readingOf('set');

const isMember = (collection: Collection, frame: Frame, i: number): number =>
  collection.has(hashedName(frame.key(i))) ? 1 : 0;

const srandmember = reading('SRANDMEMBER', -2, 'Returns random members of a set.', (collection, frame, reply) => {
  if (frame.count === 2) {
    const element = randomElement(collection);
    return element ? writeMember(reply, element) : reply.nil();
  }
  if (frame.count > 3) throw syntaxError();
  const elements = chooseRandom(collection, smallInteger(frame, 2));
  reply.array(elements.length);
  for (const element of elements) writeMember(reply, element);
});

const sscan = reading('SSCAN', -3, 'Walks over the members of a set.', (collection, frame, reply) => {
  const write = (element: Element): void => writeMember(reply, element);
  scanElements({ collection, prefix: '', write, width: 1 }, frame, reply);
});

const spop: KeyCommand = {
  ...set,
  name: 'SPOP',
  arity: -2,
  flags: ['write', 'fast'],
  summary: 'Removes random members of a set and returns them.',
  evaluate(view, frame, reply) {
    if (frame.count > 3) throw syntaxError();
    const count = frame.count === 3 ? countArgument(frame, 2) : 1;
    const collection = setAt(view, frame.key(1));
    const found = collection.count === 0 ? [] : randomElements(collection, count);
    if (frame.count === 3) reply.set(found.length);
    else if (found.length === 0) return reply.nil();
    for (const element of found) writeMember(reply, element);
    if (found.length === collection.count) collection.reset();
    else for (const { name } of found) removeMember(collection, name);
    if (found.length > 0) collection.save();
  },
};

const smove: KeyCommand = {
  ...set,
  keys: twoKeys,
  name: 'SMOVE',
  arity: 4,
  flags: ['write', 'fast'],
  summary: 'Moves a member from one set to another of the same shard.',
  evaluate(view, frame, reply) {
    const [from, to, name] = [frame.key(1), frame.key(2), hashedName(elementArgument(frame, 3))];
    const source = setAt(view, from);
    if (!source.existed) return reply.integer(0);
    const target = setAt(view, to);
    if (from === to || !source.has(name)) return reply.integer(source.has(name) ? 1 : 0);
    removeMember(source, name);
    source.save();
    if (addMember(target, name)) target.save();
    reply.integer(1);
  },
};

export const setCommands: readonly KeyCommand[] = [
  changing('SADD', 'Adds members to a set and returns how many are new.', addMember),
  changing('SREM', 'Removes members of a set and returns how many there were.', removeMember),
  reading('SMEMBERS', 2, 'Returns all members of a set.', (collection, _frame, reply) => {
    reply.set(collection.count);
    for (const element of collection.range({})) writeMember(reply, element);
  }),
  reading('SISMEMBER', 3, 'Tells whether a set has a member.', (collection, frame, reply) =>
    reply.integer(isMember(collection, frame, 2)),
  ),
  reading('SMISMEMBER', -3, 'Tells for each name whether it is a member of a set.', (collection, frame, reply) => {
    reply.array(frame.count - 2);
    for (let i = 2; i < frame.count; i++) reply.integer(isMember(collection, frame, i));
  }),
  reading('SCARD', 2, 'Returns the number of members of a set.', (collection, _frame, reply) =>
    reply.integer(collection.count),
  ),
  srandmember,
  sscan,
  spop,
  smove,
];
