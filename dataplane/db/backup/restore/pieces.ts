import { encodeElement, encodeValue } from '../../member/value-commands.ts';
import { nameOf } from '../../commands/hashed-name.ts';
import { memberPrefix } from '../../commands/sorted-set.ts';
import { encodeCommand } from '../../resp/frame.ts';
import type { Element, NamedRow, ReadState } from '../../store/reading.ts';
import { generationOf, valueType } from '../../store/row.ts';

/** A collection that is larger is written piece by piece, bytes. */
const wholeBytes = 512 * 1024;
/** Arguments of one piece. */
const pieceArguments = 4_000;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What a client would send to add elements, by type: the command, and the arguments of an element. */
interface Adding {
  readonly command: string;
  /** Elements that say the same in another order are left out. */
  readonly prefix?: string;
  readonly argumentsOf: (element: Element) => readonly (Buffer | string)[];
}

const scoreText = (value: Buffer): string => {
  const score = value.readDoubleBE(0);
  if (Object.is(score, -0)) return '-0';
  return Number.isFinite(score) ? String(score) : score > 0 ? 'inf' : '-inf';
};

const adding: Readonly<Record<number, Adding>> = {
  [valueType.hash]: { command: 'HSET', argumentsOf: ({ name, value }) => [latin1(nameOf(name)), Buffer.from(value)] },
  [valueType.set]: { command: 'SADD', argumentsOf: ({ name }) => [latin1(nameOf(name))] },
  [valueType.zset]: {
    command: 'ZADD',
    prefix: memberPrefix,
    argumentsOf: ({ name, value }) => [scoreText(value), latin1(nameOf(name.slice(memberPrefix.length)))],
  },
  [valueType.list]: { command: 'RPUSH', argumentsOf: ({ value }) => [Buffer.from(value)] },
};

/** The elements of a collection in one buffer; null: they are too many. */
const allElements = (elements: Iterable<Element>): Buffer[] | null => {
  const encoded: Buffer[] = [];
  let bytes = 0;
  for (const element of elements) {
    const each = encodeElement(element);
    bytes += each.length;
    if (bytes > wholeBytes) return null;
    encoded.push(each);
  }
  return encoded;
};

function* piecesOf(key: Buffer, { command, argumentsOf }: Adding, elements: Iterable<Element>): Generator<Buffer> {
  let held: (Buffer | string)[] = [];
  let bytes = 0;
  for (const element of elements) {
    for (const argument of argumentsOf(element)) {
      held.push(argument);
      bytes += argument.length;
    }
    if (bytes < wholeBytes && held.length < pieceArguments) continue;
    yield encodeCommand([command, key, ...held]);
    held = [];
    bytes = 0;
  }
  if (held.length > 0) yield encodeCommand([command, key, ...held]);
}

/**
 * The commands that give a key a collection which is too large for one, from nothing. Carried out in order they lead there
 * whatever the key held, so all of them may be sent again.
 */
export function* piecesFor(state: ReadState, { key, row }: NamedRow): Generator<Buffer> {
  const add = adding[row.type];
  if (!add) throw new RangeError(`a value has type ${row.type}, which this program does not know`);
  const [name, { prefix }] = [latin1(key), add];
  // The character behind the prefix ends what begins with it.
  const range = prefix === undefined ? {} : { from: prefix, to: String.fromCharCode(prefix.charCodeAt(0) + 1) };
  yield encodeCommand(['UNLINK', name]);
  yield* piecesOf(name, add, state.elements(generationOf(row), range));
  if (row.expireAt !== 0) yield encodeCommand(['PEXPIREAT', name, String(row.expireAt)]);
}

/** The command, in RESP, that gives a key the value that it has in a state, with its time to live; null: it is too large for one. */
export const wholeOf = (state: ReadState, { key, row }: NamedRow): Buffer | null => {
  const generation = generationOf(row);
  const elements = generation === 0 ? [] : allElements(state.elements(generation, {}));
  if (elements === null) return null;
  const value = encodeValue(row);
  return encodeCommand(['QLOAD', latin1(key), elements.length === 0 ? value : Buffer.concat([value, ...elements])]);
};
