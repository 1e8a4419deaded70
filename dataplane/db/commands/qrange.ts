import { DbError } from '../db-error.ts';
import { maxKeysAnswered } from '../limits.ts';
import type { Frame } from '../resp/frame.ts';
import type { Range, ReadState } from '../store/reading.ts';
import { firstHiddenType, valueType } from '../store/row.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store } from '../store/store.ts';
import { countArgument, syntaxError } from './arguments.ts';
import { noKeys, type CommandDescription, type ShardCommand } from './command.ts';

/** Arguments of `QRANGE start end [LIMIT n] [REVERSE] [AT sequence]`. */
export interface RangeRequest {
  readonly range: Range;
  readonly limit: number;
  /** Of the shard's log; null: now. */
  readonly at: number | null;
}

/** @throws DbError */
export const parseRange = (frame: Frame): RangeRequest => {
  const to = frame.key(2);
  let [limit, at, reverse]: [number, number | null, boolean] = [maxKeysAnswered, null, false];
  for (let i = 3; i < frame.count; i++) {
    const word = frame.word(i);
    if (word === 'REVERSE') reverse = true;
    else if (i + 1 === frame.count || (word !== 'LIMIT' && word !== 'AT')) throw syntaxError();
    else if (word === 'LIMIT') limit = Math.min(countArgument(frame, ++i), maxKeysAnswered);
    else at = countArgument(frame, ++i);
  }
  return { range: { from: frame.key(1), to: to === '' ? undefined : to, reverse }, limit, at };
};

const stateAt = (store: Store, at: number | null): Pick<ReadState, 'rows'> => {
  try {
    return at === null ? store : store.at(at);
  } catch (error) {
    if (error instanceof StoreError) throw new DbError('ERR', error.message, { cause: error });
    throw error;
  }
};

export const rangeDescription: CommandDescription = {
  name: 'QRANGE',
  arity: -3,
  flags: ['readonly'],
  keys: noKeys,
  group: 'generic',
  summary: 'Returns keys from start to before end (empty: to the last) in order, each with its string value.',
};

/** The part of one shard: pairs of key and value; the value of a collection is nil. */
export const qrange: ShardCommand = {
  ...rangeDescription,
  kind: 'shard',
  combine: 'join',
  source: 'rows',
  read(store, frame, reply, now) {
    const { range, limit, at } = parseRange(frame);
    const found: { key: string; value: Buffer | null }[] = [];
    for (const { key, row } of limit === 0 ? [] : stateAt(store, at).rows(store.own(range))) {
      if (row.type >= firstHiddenType || (row.expireAt !== 0 && row.expireAt <= now)) continue;
      found.push({ key, value: row.type === valueType.string ? Buffer.from(row.value) : null });
      if (found.length === limit) break;
    }
    reply.array(found.length);
    for (const { key, value } of found) {
      reply.array(2);
      reply.bulk(Buffer.from(key, 'latin1'));
      if (value === null) reply.nil();
      else reply.bulk(value);
    }
  },
};
