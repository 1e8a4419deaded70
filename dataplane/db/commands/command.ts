import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Store } from '../store/store.ts';
import type { View } from './view.ts';

/** Flags as COMMAND INFO answers them. */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'fast'
  | 'loading'
  | 'stale'
  | 'noscript'
  | 'no_auth'
  | 'allow_busy'
  | 'admin'
  | 'blocking';

/**
 * Where keys are among the arguments, as in Redis: `last` -1 is the last argument. All 0: no keys. With `numberAt` the
 * argument there says how many keys there are, from `first` on.
 */
export interface KeyPositions {
  readonly numberAt?: number;
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** What COMMAND tells clients about a command. */
export interface CommandDescription {
  /** Upper case. */
  readonly name: string;
  /** Number of arguments with the name; negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly keys: KeyPositions;
  readonly group:
    'string' | 'hash' | 'set' | 'sorted-set' | 'list' | 'generic' | 'pubsub' | 'connection' | 'server' | 'transactions';
  readonly summary: string;
}

/**
 * How a command with keys in several shards is answered.
 * - refuse: it is atomic, so a CROSSSHARD error
 * - sum: each shard gets its keys, the integers are added. Not atomic across shards
 * - list: each key is a GET of its own, the replies are listed. Not atomic across shards
 * - every: it has no keys and goes to every shard
 */
export type AcrossShards = 'refuse' | 'sum' | 'list' | 'every';

/** A command on keys; a shard's primary evaluates it. */
export interface KeyCommand extends CommandDescription {
  readonly kind: 'keys';
  readonly across: AcrossShards;
  /**
   * Validates all of its arguments first, then changes the view, then writes one reply.
   * @throws DbError before any change
   */
  evaluate(view: View, frame: Frame, reply: ReplyWriter): void;
}

/**
 * A read of a whole shard. It sees what is committed, after everything that was in flight when it came.
 * Not part of transactions.
 */
export interface ShardCommand extends CommandDescription {
  readonly kind: 'shard';
  /** How the replies of all shards become one: integers added, arrays joined, or any one that is not nil. */
  readonly combine: 'sum' | 'join' | 'any';
  /** Whether it reads the file, which then has to be written first, or rows one by one. */
  readonly source: 'file' | 'rows';
  read(store: Store, frame: Frame, reply: ReplyWriter, now: number): void;
}

export const noKeys: KeyPositions = { first: 0, last: 0, step: 0 };
export const oneKey: KeyPositions = { first: 1, last: 1, step: 1 };
export const allKeys: KeyPositions = { first: 1, last: -1, step: 1 };

export const twoKeys: KeyPositions = { first: 1, last: 2, step: 1 };

const lastIndex = (keys: KeyPositions, frame: Frame): number => {
  if (keys.numberAt === undefined) return keys.last < 0 ? frame.count + keys.last : keys.last;
  const number = frame.text(keys.numberAt);
  return /^\d{1,7}$/.test(number) ? keys.first + Number(number) - 1 : 0;
};

/** Whether a number of arguments fits an arity. */
export const fitsArity = (arity: number, count: number): boolean => (arity >= 0 ? count === arity : count >= -arity);

/** Positions of the keys in a command, as far as it has so many arguments. */
export const keyIndexes = (keys: KeyPositions, frame: Frame): number[] => {
  if (keys.first === 0) return [];
  const last = Math.min(lastIndex(keys, frame), frame.count - 1);
  const indexes: number[] = [];
  for (let i = keys.first; i <= last; i += keys.step) indexes.push(i);
  return indexes;
};
