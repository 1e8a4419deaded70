import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Element } from '../store/reading.ts';
import { smallInteger, syntaxError } from './arguments.ts';
import type { Collection } from './collection.ts';
import { globMatch } from './glob.ts';
import { behind } from './random-elements.ts';
import { cursorAfter, cursorAt, nameOf, placeOf } from './hashed-name.ts';

const maxExamined = 10_000;

/** A cursor of SCAN and its kin. @throws DbError */
export const cursorArgument = (frame: Frame, i: number): number => {
  const text = frame.text(i);
  if (!/^\d{1,20}$/.test(text)) throw new DbError('ERR', 'invalid cursor');
  return Number(text);
};

const parseOptions = (frame: Frame): { count: number; pattern: string } => {
  let [count, pattern] = [10, '*'];
  for (let i = 3; i < frame.count; i += 2) {
    const word = frame.word(i);
    if (i + 1 >= frame.count) throw syntaxError();
    if (word === 'COUNT') count = smallInteger(frame, i + 1);
    else if (word === 'MATCH') pattern = frame.key(i + 1);
    else throw syntaxError();
  }
  if (count < 1) throw syntaxError();
  return { count: Math.min(count, maxExamined), pattern };
};

/** One step of HSCAN, SSCAN or ZSCAN over the elements that lie behind a prefix. */
export interface ElementScan {
  readonly collection: Collection;
  readonly prefix: string;
  /** Writes one element; as many replies as `width` says. */
  readonly write: (element: Element, reply: ReplyWriter) => void;
  readonly width: number;
}

/** Elements from a cursor on: those of one hash come together, because a cursor cannot lead between them. */
const take = ({ collection, prefix }: ElementScan, from: number, count: number): { found: Element[]; next: number } => {
  const found: Element[] = [];
  for (const { name, value } of collection.range({ ...behind(prefix), from: prefix + placeOf(from) })) {
    const own = name.slice(prefix.length);
    const last = found.at(-1);
    if (last && found.length >= count && cursorAt(own) !== cursorAt(last.name)) {
      return { found, next: cursorAfter(last.name) };
    }
    found.push({ name: own, value });
  }
  return { found, next: 0 };
};

/** Answers one step. Cursors hold whatever is changed meanwhile: an element that stays is seen at least once. */
export const scanElements = (scan: ElementScan, frame: Frame, reply: ReplyWriter): void => {
  const cursor = cursorArgument(frame, 2);
  const { count, pattern } = scan.collection.existed ? parseOptions(frame) : { count: 1, pattern: '*' };
  const { found, next } = cursor < 2 ** 32 ? take(scan, cursor, count) : { found: [], next: 0 };
  const matching = found.filter(({ name }) => globMatch(pattern, nameOf(name)));
  reply.array(2);
  reply.bulk(String(next));
  reply.array(matching.length * scan.width);
  for (const element of matching) scan.write(element, reply);
};
