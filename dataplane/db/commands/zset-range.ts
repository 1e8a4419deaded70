import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import { smallInteger, syntaxError } from './arguments.ts';
import { oneKey, twoKeys, type KeyCommand } from './command.ts';
import { indexRange } from './list-places.ts';
import { lexRange, scoreRange } from './score-range.ts';
import { SortedSet, type Scored, type ScoreRange } from './sorted-set.ts';
import type { View } from './view.ts';
import { writeScored } from './zset-write.ts';

const zset = { kind: 'keys', keys: oneKey, group: 'sorted-set', across: 'refuse' } as const;

type By = 'index' | 'score' | 'lex';

interface RangeOptions {
  readonly by: By;
  readonly reverse: boolean;
  readonly scores: boolean;
  readonly limit: { readonly offset: number; readonly count: number } | null;
}

const words: Readonly<Record<string, Partial<RangeOptions>>> = {
  BYSCORE: { by: 'score' },
  BYLEX: { by: 'lex' },
  REV: { reverse: true },
  WITHSCORES: { scores: true },
};

/** Options behind min and max. `allowed`: the words that the command knows besides LIMIT. @throws DbError */
const parseOptions = (frame: Frame, from: number, start: RangeOptions, allowed: readonly string[]): RangeOptions => {
  let options = start;
  for (let i = from; i < frame.count; i++) {
    const word = frame.word(i);
    const adds = allowed.includes(word) ? words[word] : undefined;
    if (adds) options = { ...options, ...adds };
    else if (word === 'LIMIT' && i + 2 < frame.count) {
      options = { ...options, limit: { offset: smallInteger(frame, i + 1), count: smallInteger(frame, i + 2) } };
      i += 2;
    } else throw syntaxError();
  }
  return options;
};

const checkOptions = ({ by, limit, scores }: RangeOptions): void => {
  if (limit !== null && limit.count !== -1 && by === 'index') {
    throw new DbError('ERR', 'syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
  }
  if (scores && by === 'lex')
    throw new DbError('ERR', 'syntax error, WITHSCORES not supported in combination with BYLEX');
};

const limited = (members: Iterable<Scored>, limit: RangeOptions['limit']): Scored[] => {
  const found: Scored[] = [];
  const { offset, count } = limit ?? { offset: 0, count: -1 };
  if (offset < 0 || count === 0) return found;
  let skip = offset;
  for (const each of members) {
    if (skip-- > 0) continue;
    found.push(each);
    if (found.length === count) break;
  }
  return found;
};

/** Chooses members; made before the set is looked at, so that malformed arguments come first. */
type Choose = (set: SortedSet) => Scored[];

const chooser = (frame: Frame, at: number, options: RangeOptions): Choose => {
  const { by, reverse, limit } = options;
  if (by === 'index') {
    const [start, stop] = [smallInteger(frame, at), smallInteger(frame, at + 1)];
    return (set) => {
      const { from, to } = indexRange(start, stop, set.size);
      return set.byIndex(from, to, reverse);
    };
  }
  const [min, max] = reverse ? [at + 1, at] : [at, at + 1];
  const range: (set: SortedSet) => ScoreRange =
    by === 'lex'
      ? lexRange(frame, min, max)
      : (
          (fixed) => () =>
            fixed
        )(scoreRange(frame, min, max));
  return (set) => limited(set.range(range(set), reverse), limit);
};

const plain: RangeOptions = { by: 'index', reverse: false, scores: false, limit: null };
const every = Object.keys(words);

const ranging = (
  name: string,
  summary: string,
  start: Partial<RangeOptions>,
  allowed: readonly string[],
): KeyCommand => ({
  ...zset,
  name,
  arity: -4,
  flags: ['readonly'],
  summary,
  evaluate(view, frame, reply) {
    const options = parseOptions(frame, 4, { ...plain, ...start }, allowed);
    checkOptions(options);
    const choose = chooser(frame, 2, options);
    writeScored(reply, choose(new SortedSet(view, frame.key(1))), { scores: options.scores, nested: true });
  },
});

const store = (view: View, key: string, members: readonly Scored[]): void => {
  if (view.get(key)) view.remove(key);
  const target = new SortedSet(view, key);
  for (const { member, score } of members) target.set(member, score, undefined);
  target.save();
};

const zrangestore: KeyCommand = {
  ...zset,
  keys: twoKeys,
  name: 'ZRANGESTORE',
  arity: -5,
  flags: ['write', 'denyoom'],
  summary: 'Stores a range of a sorted set in another one of the same shard.',
  evaluate(view, frame, reply) {
    const options = parseOptions(frame, 5, plain, ['BYSCORE', 'BYLEX', 'REV']);
    checkOptions(options);
    const choose = chooser(frame, 3, options);
    const members = choose(new SortedSet(view, frame.key(2)));
    store(view, frame.key(1), members);
    reply.integer(members.length);
  },
};

export const zsetRanges: readonly KeyCommand[] = [
  ranging('ZRANGE', 'Returns a range of members, by rank, score or name.', {}, every),
  ranging('ZREVRANGE', 'Returns members from the highest score down.', { reverse: true }, ['WITHSCORES']),
  ranging('ZRANGEBYSCORE', 'Returns members by their score.', { by: 'score' }, ['WITHSCORES']),
  ranging('ZREVRANGEBYSCORE', 'Returns members by score, downwards.', { by: 'score', reverse: true }, ['WITHSCORES']),
  ranging('ZRANGEBYLEX', 'Returns members by name.', { by: 'lex' }, []),
  ranging('ZREVRANGEBYLEX', 'Returns members by name, downwards.', { by: 'lex', reverse: true }, []),
  zrangestore,
];
