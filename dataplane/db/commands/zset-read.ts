import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Element } from '../store/reading.ts';
import { smallInteger } from './arguments.ts';
import { oneKey, type KeyCommand } from './command.ts';
import { scanElements } from './element-scan.ts';
import { chooseRandom, trailingWord } from './hash-read.ts';
import { nameOf } from './hashed-name.ts';
import { randomElement } from './random-elements.ts';
import { lexRange, scoreRange } from './score-range.ts';
import { memberPrefix, SortedSet, type Scored } from './sorted-set.ts';
import { formatDouble } from '../resp/reply-writer.ts';
import { writeScored } from './zset-write.ts';

const zset = { kind: 'keys', keys: oneKey, group: 'sorted-set', across: 'refuse' } as const;

/** Reads arguments first, then answers from the set. */
type Prepare = (frame: Frame) => (set: SortedSet, reply: ReplyWriter) => void;

const reading = (name: string, arity: number, summary: string, prepare: Prepare): KeyCommand => ({
  ...zset,
  name,
  arity,
  flags: ['readonly', 'fast'],
  summary,
  evaluate(view, frame, reply) {
    const answer = prepare(frame);
    answer(new SortedSet(view, frame.key(1)), reply);
  },
});

const writeScore = (reply: ReplyWriter, score: number | undefined): void =>
  score === undefined ? reply.nil() : reply.double(score);

const rank = (name: string, reverse: boolean, summary: string): KeyCommand =>
  reading(name, 3, summary, (frame) => (set, reply) => {
    const member = frame.key(2);
    const score = set.score(member);
    if (score === undefined) return reply.nil();
    const before = set.rank({ member, score });
    reply.integer(reverse ? set.size - 1 - before : before);
  });

const scoredOf = ({ name, value }: Element): Scored => ({
  member: nameOf(name.slice(memberPrefix.length)),
  score: value.readDoubleBE(0),
});

const zrandmember = reading('ZRANDMEMBER', -2, 'Returns random members of a sorted set.', (frame) => {
  const count = frame.count > 2 ? smallInteger(frame, 2) : null;
  const scores = trailingWord(frame, 3, 'WITHSCORES');
  return (set, reply) => {
    if (count !== null) {
      const chosen = chooseRandom(set.collection, count, memberPrefix).map(scoredOf);
      return writeScored(reply, chosen, { scores, nested: true });
    }
    const element = set.size > 0 ? randomElement(set.collection, memberPrefix) : undefined;
    if (element) reply.bulk(Buffer.from(scoredOf(element).member, 'latin1'));
    else reply.nil();
  };
});

const zscan = reading('ZSCAN', -3, 'Walks over the members of a sorted set.', (frame) => (set, reply) => {
  const write = ({ name, value }: Element): void => {
    reply.bulk(Buffer.from(nameOf(name), 'latin1'));
    reply.bulk(formatDouble(value.readDoubleBE(0)));
  };
  scanElements({ collection: set.collection, prefix: memberPrefix, write, width: 2 }, frame, reply);
});

export const zsetReads: readonly KeyCommand[] = [
  reading(
    'ZSCORE',
    3,
    'Returns the score of a member.',
    (frame) => (set, reply) => writeScore(reply, set.score(frame.key(2))),
  ),
  reading('ZMSCORE', -3, 'Returns the scores of members.', (frame) => (set, reply) => {
    reply.array(frame.count - 2);
    for (let i = 2; i < frame.count; i++) writeScore(reply, set.score(frame.key(i)));
  }),
  reading('ZCARD', 2, 'Returns the number of members of a sorted set.', () => (set, reply) => reply.integer(set.size)),
  reading('ZCOUNT', 4, 'Counts members by their score.', (frame) => {
    const range = scoreRange(frame, 2, 3);
    return (set, reply) => reply.integer(set.count(range));
  }),
  reading('ZLEXCOUNT', 4, 'Counts members by their name, where all scores are the same.', (frame) => {
    const range = lexRange(frame, 2, 3);
    return (set, reply) => reply.integer(set.count(range(set)));
  }),
  rank('ZRANK', false, 'Returns how many members lie before one.'),
  rank('ZREVRANK', true, 'Returns how many members lie behind one.'),
  zrandmember,
  zscan,
];
