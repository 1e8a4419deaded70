import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Row } from '../store/row.ts';
import { integerArgument, positiveExpiry, syntaxError, timeUnits } from './arguments.ts';
import { stringAt } from './collection.ts';
import { oneKey, type KeyCommand } from './command.ts';
import type { View } from './view.ts';

/** Options of SET. */
export interface SetOptions {
  readonly condition: 'NX' | 'XX' | null;
  readonly get: boolean;
  readonly keepTtl: boolean;
  readonly expiry: { readonly unit: string; readonly amount: bigint } | null;
}

const none: SetOptions = { condition: null, get: false, keepTtl: false, expiry: null };

/** Flags: what each adds, and whether it may follow what came before it. */
const flags: Readonly<Record<string, { adds: Partial<SetOptions>; fits: (sofar: SetOptions) => boolean }>> = {
  NX: { adds: { condition: 'NX' }, fits: ({ condition }) => condition !== 'XX' },
  XX: { adds: { condition: 'XX' }, fits: ({ condition }) => condition !== 'NX' },
  GET: { adds: { get: true }, fits: () => true },
  KEEPTTL: { adds: { keepTtl: true }, fits: ({ expiry }) => expiry === null },
};

/** One option at `i`; answers the options with it and how many arguments it took. */
const option = (frame: Frame, i: number, sofar: SetOptions): { options: SetOptions; taken: number } => {
  const word = frame.word(i);
  const flag = flags[word];
  if (flag?.fits(sofar)) return { options: { ...sofar, ...flag.adds }, taken: 1 };
  const timeFree = sofar.expiry === null && !sofar.keepTtl;
  if (!timeUnits[word] || !timeFree || i + 1 >= frame.count) throw syntaxError();
  return { options: { ...sofar, expiry: { unit: word, amount: integerArgument(frame, i + 1) } }, taken: 2 };
};

/** Options of `SET key value …`. @throws DbError */
export const parseSetOptions = (frame: Frame): SetOptions => {
  let options = none;
  for (let i = 3; i < frame.count;) {
    const next = option(frame, i, options);
    options = next.options;
    i += next.taken;
  }
  return options;
};

const holds = (condition: SetOptions['condition'], row: Row | undefined): boolean =>
  condition === null || (condition === 'NX') === (row === undefined);

const writeOld = (reply: ReplyWriter, row: Row | undefined): void => (row ? reply.bulk(row.value) : reply.nil());

const expiryOf = (view: View, { expiry, keepTtl }: SetOptions, row: Row | undefined): number => {
  if (expiry) return positiveExpiry(view, expiry.amount, expiry.unit, 'set');
  return keepTtl ? (row?.expireAt ?? 0) : 0;
};

const conditionalSet = (view: View, frame: Frame, reply: ReplyWriter): void => {
  const options = parseSetOptions(frame);
  const key = frame.key(1);
  const row = options.get ? stringAt(view, key) : view.get(key);
  const at = expiryOf(view, options, row);
  const sets = holds(options.condition, row);
  if (options.get) writeOld(reply, row);
  else if (sets) reply.ok();
  else reply.nil();
  if (sets) view.put(key, frame.argument(2), at);
};

export const set: KeyCommand = {
  kind: 'keys',
  name: 'SET',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: oneKey,
  group: 'string',
  summary: 'Sets the string value of a key, with a condition and a time to live if wanted.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    if (frame.count > 3) return conditionalSet(view, frame, reply);
    view.put(frame.key(1), frame.argument(2), 0);
    reply.ok();
  },
};

const withTtl = (name: 'SETEX' | 'PSETEX', unit: 'EX' | 'PX', summary: string): KeyCommand => ({
  kind: 'keys',
  name,
  arity: 4,
  flags: ['write', 'denyoom'],
  keys: oneKey,
  group: 'string',
  summary,
  across: 'refuse',
  evaluate(view, frame, reply) {
    const at = positiveExpiry(view, integerArgument(frame, 2), unit, name.toLowerCase());
    view.put(frame.key(1), frame.argument(3), at);
    reply.ok();
  },
});

export const setex = withTtl('SETEX', 'EX', 'Sets a value and its time to live in seconds.');
export const psetex = withTtl('PSETEX', 'PX', 'Sets a value and its time to live in milliseconds.');

export const setnx: KeyCommand = {
  kind: 'keys',
  name: 'SETNX',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Sets a value only when the key does not exist.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const key = frame.key(1);
    const free = view.get(key) === undefined;
    if (free) view.put(key, frame.argument(2), 0);
    reply.integer(free ? 1 : 0);
  },
};

export const getset: KeyCommand = {
  kind: 'keys',
  name: 'GETSET',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey,
  group: 'string',
  summary: 'Returns the value of a key and sets a new one.',
  across: 'refuse',
  evaluate(view, frame, reply) {
    const key = frame.key(1);
    writeOld(reply, stringAt(view, key));
    view.put(key, frame.argument(2), 0);
  },
};
