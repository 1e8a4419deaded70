import { DbError } from '../db-error.ts';

/** By shard: the first sequence of its log that was not delivered. */
export type Cursor = ReadonlyMap<string, number>;

/** `app-0:18,app-1:7`, for {@link parseCursor}. */
export const formatCursor = (cursor: Cursor): string => [...cursor].map(([shard, seq]) => `${shard}:${seq}`).join(',');

const sequence = (text: string): number => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new DbError('ERR', `'${text.slice(0, 64)}' is no sequence: the first one is 1`);
};

const pair = (text: string): [string, number] => {
  const at = text.lastIndexOf(':');
  if (at < 1) throw new DbError('ERR', `'${text.slice(0, 64)}' is no cursor; one looks like app-0:18,app-1:7`);
  return [text.slice(0, at), sequence(text.slice(at + 1))];
};

/** Whether a cursor is about these shards and no other. */
export const isAbout = (cursor: Cursor, shards: readonly string[]): boolean =>
  cursor.size === shards.length && shards.every((shard) => cursor.has(shard));

/** What to do when the shards are not those of a cursor any more. */
export const changedShards = (shards: readonly string[]): DbError =>
  new DbError(
    'COMPACTED',
    `the keys are in other shards than the cursor tells about (now ${shards.join(', ')}): read them anew and watch without FROM`,
  );

/**
 * Where to begin in these shards. A number alone is a sequence of the only one, unless keys have `changedHands`: then it
 * may be one of the shard that had them before.
 * @throws DbError ERR when it is malformed, CROSSSHARD for a number when there are several, COMPACTED when it is about other shards
 */
export const parseCursor = (text: string, shards: readonly string[], changedHands = false): Map<string, number> => {
  const [only = '', ...others] = shards;
  if (/^\d+$/.test(text)) {
    if (others.length === 0 && !changedHands) return new Map([[only, sequence(text)]]);
    const example = formatCursor(new Map(shards.map((shard) => [shard, 1])));
    throw new DbError(
      'CROSSSHARD',
      `a sequence is that of one shard, and the keys are or were in several: say FROM ${example}`,
    );
  }
  const cursor = new Map(text.split(',').map(pair));
  if (!isAbout(cursor, shards)) throw changedShards(shards);
  return cursor;
};
