import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Element } from '../store/reading.ts';
import { smallInteger, syntaxError } from './arguments.ts';
import type { Collection } from './collection.ts';
import { readingOf } from './collection-read.ts';
import type { KeyCommand } from './command.ts';
import { scanElements } from './element-scan.ts';
import { hashedName, nameOf } from './hashed-name.ts';
import { randomElement, randomElements } from './random-elements.ts';

const writeName = (reply: ReplyWriter, { name }: Element): void => reply.bulk(Buffer.from(nameOf(name), 'latin1'));

const fieldOf = (collection: Collection, frame: Frame, i: number): Buffer | undefined =>
  collection.get(hashedName(frame.key(i)));

const writeField = (reply: ReplyWriter, value: Buffer | undefined): void =>
  value === undefined ? reply.nil() : reply.bulk(value);

const reading = readingOf('hash');

const hget = reading('HGET', 3, 'Returns a field of a hash.', (collection, frame, reply) =>
  writeField(reply, fieldOf(collection, frame, 2)),
);

const hmget = reading('HMGET', -3, 'Returns fields of a hash.', (collection, frame, reply) => {
  reply.array(frame.count - 2);
  for (let i = 2; i < frame.count; i++) writeField(reply, fieldOf(collection, frame, i));
});

const hexists = reading('HEXISTS', 3, 'Tells whether a hash has a field.', (collection, frame, reply) =>
  reply.integer(fieldOf(collection, frame, 2) === undefined ? 0 : 1),
);

const hstrlen = reading('HSTRLEN', 3, 'Returns the length of a field of a hash.', (collection, frame, reply) =>
  reply.integer(fieldOf(collection, frame, 2)?.length ?? 0),
);

const hlen = reading('HLEN', 2, 'Returns the number of fields of a hash.', (collection, _frame, reply) =>
  reply.integer(collection.count),
);

const hgetall = reading(
  'HGETALL',
  2,
  'Returns all fields of a hash with their values.',
  (collection, _frame, reply) => {
    reply.map(collection.count);
    for (const element of collection.range({})) {
      writeName(reply, element);
      reply.bulk(element.value);
    }
  },
);

const hkeys = reading('HKEYS', 2, 'Returns the names of all fields of a hash.', (collection, _frame, reply) => {
  reply.array(collection.count);
  for (const element of collection.range({})) writeName(reply, element);
});

const hvals = reading('HVALS', 2, 'Returns the values of all fields of a hash.', (collection, _frame, reply) => {
  reply.array(collection.count);
  for (const { value } of collection.range({})) reply.bulk(value);
});

const hscan = reading('HSCAN', -3, 'Walks over the fields of a hash.', (collection, frame, reply) => {
  const write = (element: Element): void => {
    writeName(reply, element);
    reply.bulk(element.value);
  };
  scanElements({ collection, prefix: '', write, width: 2 }, frame, reply);
});

/** Most random elements that one command chooses with repetitions. */
const maxRepeats = 1_000_000;

/** Random elements: `count` below 0 means so many, each chosen anew. */
export const chooseRandom = (collection: Collection, count: number, prefix = ''): Element[] => {
  if (collection.count === 0) return [];
  if (count < -maxRepeats) throw new DbError('ERR', 'value is out of range');
  if (count >= 0) return randomElements(collection, count, prefix);
  return Array.from({ length: -count }, () => randomElement(collection, prefix)).filter((each) => each !== undefined);
};

/** Whether the last argument at `i` is there and is this word. @throws DbError when there is another, or more */
export const trailingWord = (frame: Frame, i: number, word: string): boolean => {
  if (frame.count <= i) return false;
  if (frame.count > i + 1 || frame.word(i) !== word) throw syntaxError();
  return true;
};

const writeRandom = (reply: ReplyWriter, elements: readonly Element[], values: boolean): void => {
  const nested = values && reply.protocol === 3;
  reply.array(elements.length * (values && !nested ? 2 : 1));
  for (const element of elements) {
    if (nested) reply.array(2);
    writeName(reply, element);
    if (values) reply.bulk(element.value);
  }
};

const hrandfield = reading('HRANDFIELD', -2, 'Returns random fields of a hash.', (collection, frame, reply) => {
  if (frame.count > 2) {
    const [count, values] = [smallInteger(frame, 2), trailingWord(frame, 3, 'WITHVALUES')];
    return writeRandom(reply, chooseRandom(collection, count), values);
  }
  const element = randomElement(collection);
  if (element) writeName(reply, element);
  else reply.nil();
});

export const hashReads: readonly KeyCommand[] = [
  hget,
  hmget,
  hexists,
  hstrlen,
  hlen,
  hgetall,
  hkeys,
  hvals,
  hscan,
  hrandfield,
];
