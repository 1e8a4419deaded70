import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { countArgument, smallInteger, syntaxError } from './arguments.ts';
import { elementArgument } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';
import { doubleArgument } from './decimal.ts';
import { indexRange } from './list-places.ts';
import { lexRange, scoreRange } from './score-range.ts';
import { SortedSet, type Scored } from './sorted-set.ts';
import type { View } from './view.ts';

const zset = { kind: 'keys', keys: oneKey, group: 'sorted-set', across: 'refuse' } as const;

const flagNames = ['NX', 'XX', 'GT', 'LT', 'CH', 'INCR'] as const;
type Flag = (typeof flagNames)[number];
const isFlag = (word: string): word is Flag => (flagNames as readonly string[]).includes(word);

interface Addition {
  readonly flags: ReadonlySet<Flag>;
  readonly pairs: readonly Scored[];
}

const checkFlags = (flags: ReadonlySet<Flag>, pairs: number): void => {
  if (flags.has('NX') && flags.has('XX')) {
    throw new DbError('ERR', 'XX and NX options at the same time are not compatible');
  }
  if ([flags.has('GT'), flags.has('LT'), flags.has('NX')].filter(Boolean).length > 1) {
    throw new DbError('ERR', 'GT, LT, and/or NX options at the same time are not compatible');
  }
  if (flags.has('INCR') && pairs > 1) throw new DbError('ERR', 'INCR option supports a single increment-element pair');
};

/** Options and pairs of ZADD. @throws DbError */
const parseAddition = (frame: Frame): Addition => {
  const flags = new Set<Flag>();
  let i = 2;
  for (let word = frame.word(i); i < frame.count && isFlag(word); word = frame.word(++i)) flags.add(word);
  const left = frame.count - i;
  if (left === 0 || left % 2 !== 0) throw syntaxError();
  checkFlags(flags, left / 2);
  const pairs: Scored[] = [];
  for (; i < frame.count; i += 2)
    pairs.push({ score: doubleArgument(frame, i), member: elementArgument(frame, i + 1) });
  return { flags, pairs };
};

/** The score that a member gets; null: it stays as it is. */
const nextScore = (flags: ReadonlySet<Flag>, old: number | undefined, given: number): number | null => {
  if (old === undefined) return flags.has('XX') ? null : given;
  if (flags.has('NX')) return null;
  const next = flags.has('INCR') ? old + given : given;
  if (Number.isNaN(next)) throw new DbError('ERR', 'resulting score is not a number (NaN)');
  if ((flags.has('GT') && next <= old) || (flags.has('LT') && next >= old)) return null;
  return next;
};

interface Added {
  readonly added: number;
  readonly changed: number;
  /** Score that the last pair led to; null: it was left alone. */
  readonly score: number | null;
}

const add = (view: View, key: string, { flags, pairs }: Addition): Added => {
  const set = new SortedSet(view, key);
  let [added, changed, score]: [number, number, number | null] = [0, 0, null];
  for (const pair of pairs) {
    const old = set.score(pair.member);
    score = nextScore(flags, old, pair.score);
    if (score === null || score === old) continue;
    set.set(pair.member, score, old);
    if (old === undefined) added++;
    else changed++;
  }
  if (added + changed > 0) set.save();
  return { added, changed, score };
};

const zadd: KeyCommand = {
  ...zset,
  name: 'ZADD',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  summary: 'Adds members to a sorted set, or changes their scores.',
  evaluate(view, frame, reply) {
    const addition = parseAddition(frame);
    const { added, changed, score } = add(view, frame.key(1), addition);
    if (addition.flags.has('INCR')) return score === null ? reply.nil() : reply.double(score);
    reply.integer(addition.flags.has('CH') ? added + changed : added);
  },
};

const zincrby: KeyCommand = {
  ...zset,
  name: 'ZINCRBY',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  summary: 'Adds to the score of a member.',
  evaluate(view, frame, reply) {
    const pair = { score: doubleArgument(frame, 2), member: elementArgument(frame, 3) };
    const { score } = add(view, frame.key(1), { flags: new Set<Flag>(['INCR']), pairs: [pair] });
    reply.double(score ?? 0);
  },
};

const zrem: KeyCommand = {
  ...zset,
  name: 'ZREM',
  arity: -3,
  flags: ['write', 'fast'],
  summary: 'Removes members of a sorted set and returns how many there were.',
  evaluate(view, frame, reply) {
    const set = new SortedSet(view, frame.key(1));
    let removed = 0;
    for (let i = 2; i < frame.count; i++) {
      const member = frame.key(i);
      const score = set.score(member);
      if (score === undefined) continue;
      set.remove({ member, score });
      removed++;
    }
    if (removed > 0) set.save();
    reply.integer(removed);
  },
};

const removeAll = (set: SortedSet, members: readonly Scored[], reply: ReplyWriter): void => {
  for (const each of members) set.remove(each);
  if (members.length > 0) set.save();
  reply.integer(members.length);
};

const removing = (
  name: string,
  summary: string,
  choose: (frame: Frame) => (set: SortedSet) => Scored[],
): KeyCommand => ({
  ...zset,
  name,
  arity: 4,
  flags: ['write'],
  summary,
  evaluate(view, frame, reply) {
    const chosen = choose(frame);
    const set = new SortedSet(view, frame.key(1));
    removeAll(set, chosen(set), reply);
  },
});

const popping = (name: string, reverse: boolean, summary: string): KeyCommand => ({
  ...zset,
  name,
  arity: -2,
  flags: ['write', 'fast'],
  summary,
  evaluate(view, frame, reply) {
    if (frame.count > 3) throw syntaxError();
    const many = frame.count === 3;
    const count = many ? countArgument(frame, 2) : 1;
    const set = new SortedSet(view, frame.key(1));
    const popped = set.byIndex(0, Math.min(count, set.size), reverse);
    writeScored(reply, popped, { scores: true, nested: many });
    for (const each of popped) set.remove(each);
    if (popped.length > 0) set.save();
  },
});

/** Writes members, with their scores if wanted: pairs in RESP3, one after another in RESP2. */
export const writeScored = (
  reply: ReplyWriter,
  members: readonly Scored[],
  { scores, nested }: { readonly scores: boolean; readonly nested: boolean },
): void => {
  const pairs = scores && nested && reply.protocol === 3;
  reply.array(members.length * (scores && !pairs ? 2 : 1));
  for (const { member, score } of members) {
    if (pairs) reply.array(2);
    reply.bulk(Buffer.from(member, 'latin1'));
    if (scores) reply.double(score);
  }
};

export const zsetWrites: readonly KeyCommand[] = [
  zadd,
  zincrby,
  zrem,
  removing('ZREMRANGEBYRANK', 'Removes members by their rank.', (frame) => {
    const [start, stop] = [smallInteger(frame, 2), smallInteger(frame, 3)];
    return (set) => {
      const { from, to } = indexRange(start, stop, set.size);
      return set.byIndex(from, to, false);
    };
  }),
  removing('ZREMRANGEBYSCORE', 'Removes members by their score.', (frame) => {
    const range = scoreRange(frame, 2, 3);
    return (set) => [...set.range(range)];
  }),
  removing('ZREMRANGEBYLEX', 'Removes members by their name, where all scores are the same.', (frame) => {
    const range = lexRange(frame, 2, 3);
    return (set) => [...set.range(range(set))];
  }),
  popping('ZPOPMIN', false, 'Removes the members with the lowest scores and returns them.'),
  popping('ZPOPMAX', true, 'Removes the members with the highest scores and returns them.'),
];
