import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import { smallInteger, syntaxError } from './arguments.ts';
import type { Collection } from './collection.ts';
import { allKeys, type KeyCommand } from './command.ts';
import { nameOf } from './hashed-name.ts';
import { member, setAt } from './set-members.ts';
import type { View } from './view.ts';

const set = { kind: 'keys', keys: allKeys, group: 'set', across: 'refuse' } as const;

/** Names (hashed) that an operation leaves of sets, one after another. */
type Operation = (sets: readonly Collection[]) => Iterable<string>;

function* namesOf(collection: Collection | undefined): Generator<string> {
  for (const { name } of collection?.range({}) ?? []) yield name;
}

const intersection: Operation = function* meet(sets) {
  const [smallest, ...others] = sets.toSorted((a, b) => a.count - b.count);
  for (const name of namesOf(smallest)) if (others.every((other) => other.has(name))) yield name;
};

const difference: Operation = function* differ([first, ...others]) {
  for (const name of namesOf(first)) if (!others.some((other) => other.has(name))) yield name;
};

const union: Operation = (sets) => new Set(sets.flatMap((each) => [...namesOf(each)]));

const setsFrom = (view: View, frame: Frame, first: number): Collection[] =>
  Array.from({ length: frame.count - first }, (_, i) => setAt(view, frame.key(i + first)));

const combining = (name: string, summary: string, operation: Operation): KeyCommand => ({
  ...set,
  name,
  arity: -2,
  flags: ['readonly'],
  summary,
  evaluate(view, frame, reply) {
    const names = [...operation(setsFrom(view, frame, 1))];
    reply.set(names.length);
    for (const each of names) reply.bulk(Buffer.from(nameOf(each), 'latin1'));
  },
});

const storing = (name: string, summary: string, operation: Operation): KeyCommand => ({
  ...set,
  name,
  arity: -3,
  flags: ['write', 'denyoom'],
  summary,
  evaluate(view, frame, reply) {
    const names = [...operation(setsFrom(view, frame, 2))];
    const key = frame.key(1);
    if (view.get(key)) view.remove(key);
    const target = setAt(view, key);
    for (const each of names) target.set(each, member);
    target.count = names.length;
    target.save();
    reply.integer(names.length);
  },
});

/** Options of SINTERCARD after its keys. @throws DbError */
const limitOf = (frame: Frame, at: number): number => {
  let limit = 0;
  for (let i = at; i < frame.count; i += 2) {
    if (frame.word(i) !== 'LIMIT' || i + 1 === frame.count) throw syntaxError();
    if (!/^\d{1,15}$/.test(frame.key(i + 1))) throw new DbError('ERR', "LIMIT can't be negative");
    limit = Number(frame.key(i + 1));
  }
  return limit;
};

/** How many keys argument `i` announces. @throws DbError */
const numberOfKeys = (frame: Frame, i: number): number => {
  if (!/^[1-9]\d{0,14}$/.test(frame.key(i))) throw new DbError('ERR', 'numkeys should be greater than 0');
  const number = smallInteger(frame, i);
  if (number > frame.count - i - 1) throw new DbError('ERR', "Number of keys can't be greater than number of args");
  return number;
};

const sintercard: KeyCommand = {
  ...set,
  keys: { first: 2, last: -1, step: 1, numberAt: 1 },
  name: 'SINTERCARD',
  arity: -3,
  flags: ['readonly'],
  summary: 'Returns how many members sets have in common.',
  evaluate(view, frame, reply) {
    const number = numberOfKeys(frame, 1);
    const limit = limitOf(frame, 2 + number);
    const sets = Array.from({ length: number }, (_, i) => setAt(view, frame.key(i + 2)));
    let count = 0;
    for (const _name of intersection(sets)) if (++count === limit) break;
    reply.integer(count);
  },
};

export const setAlgebra: readonly KeyCommand[] = [
  combining('SINTER', 'Returns the members that all sets have.', intersection),
  combining('SUNION', 'Returns the members that any of the sets has.', union),
  combining('SDIFF', 'Returns the members of the first set that no other has.', difference),
  storing('SINTERSTORE', 'Stores the members that all sets have.', intersection),
  storing('SUNIONSTORE', 'Stores the members that any of the sets has.', union),
  storing('SDIFFSTORE', 'Stores the members of the first set that no other has.', difference),
  sintercard,
];
