import { DbError } from '../db-error.ts';
import { maxKeysAnswered } from '../limits.ts';
import type { Frame } from '../resp/frame.ts';
import { endOfPrefix, everything, holds, type KeyBounds } from '../store/key-range.ts';
import type { NamedRow } from '../store/reading.ts';
import { firstHiddenType, type Row } from '../store/row.ts';
import type { Store } from '../store/store.ts';
import { smallInteger } from './arguments.ts';
import { noKeys, type ShardCommand } from './command.ts';
import { shownType } from './generic.ts';
import { globMatch, literalPrefix } from './glob.ts';

/** Most keys that one step of SCAN looks at. */
const maxScanned = 10_000;
/** Most keys that one KEYS looks at. */
const maxKeysScanned = 1_000_000;

/** Whether clients see a row. */
const live = (row: Row, now: number): boolean =>
  row.type < firstHiddenType && (row.expireAt === 0 || row.expireAt > now);

export const dbsize: ShardCommand = {
  kind: 'shard',
  combine: 'sum',
  source: 'file',
  name: 'DBSIZE',
  arity: 1,
  flags: ['readonly', 'fast'],
  keys: noKeys,
  group: 'server',
  summary: 'Returns the number of keys of the database, expired ones that are not removed yet included.',
  read(store, _frame, reply) {
    reply.integer(store.keys);
  },
};

interface Walk {
  /** First key that may be wanted. */
  readonly from: string;
  readonly pattern: string;
  /** So many keys are looked at. */
  readonly examined: number;
}

/**
 * Keys that match a pattern, of rows that are wanted; `last` is null when the shard has no more. Only keys that begin like
 * the pattern are looked at.
 */
const scanStep = (
  store: Store,
  { from, pattern, examined }: Walk,
  isWanted: (row: Row) => boolean,
): { found: string[]; last: string | null } => {
  const found: string[] = [];
  let left = examined;
  const prefix = literalPrefix(pattern);
  const range = store.own({ from: from < prefix ? prefix : from, to: endOfPrefix(prefix) });
  for (const { key, row } of store.file.state.rows(range)) {
    if (isWanted(row) && globMatch(pattern, key)) found.push(key);
    if (--left === 0) return { found, last: key };
  }
  return { found, last: null };
};

export const keys: ShardCommand = {
  kind: 'shard',
  combine: 'join',
  source: 'file',
  name: 'KEYS',
  arity: 2,
  flags: ['readonly'],
  keys: noKeys,
  group: 'generic',
  summary: 'Returns all keys that match a pattern, unless they are too many.',
  read(store, frame, reply, now) {
    const pattern = frame.key(1);
    const walk = { from: '', pattern, examined: maxKeysScanned };
    const { found, last } = scanStep(store, walk, (row) => live(row, now));
    if (last !== null || found.length > maxKeysAnswered) throw new DbError('ERR', 'too many keys for KEYS; use SCAN');
    reply.array(found.length);
    for (const key of found) reply.bulk(Buffer.from(key, 'latin1'));
  },
};

/** A random key is looked for from a place among so many keys of a shard. */
const randomAmong = 100_000;

/** The first live key of the shard in a walk, if it comes soon. */
const firstLive = (rows: Iterable<NamedRow>, range: KeyBounds, now: number): string | null => {
  let left = maxScanned;
  for (const { key, row } of rows) {
    if (live(row, now) && holds(range, key)) return key;
    if (--left === 0) break;
  }
  return null;
};

export const randomkey: ShardCommand = {
  kind: 'shard',
  combine: 'any',
  source: 'file',
  name: 'RANDOMKEY',
  arity: 1,
  flags: ['readonly'],
  keys: noKeys,
  group: 'generic',
  summary: 'Returns a random key: of a random shard, and among 200,000 keys at the ends of its range.',
  read(store, _frame, reply, now) {
    const offset = Math.floor(Math.random() * Math.min(randomAmong, store.keys));
    const reverse = Math.random() < 0.5;
    const { state } = store.file;
    const range = store.keyRange ?? everything;
    const key =
      firstLive(state.rowsFrom(offset, reverse), range, now) ?? firstLive(state.rows(store.own({})), range, now);
    if (key === null) reply.nil();
    else reply.bulk(Buffer.from(key, 'latin1'));
  },
};

/** What a SCAN step asks of one shard. */
export interface ScanStep {
  /** First key that is wanted. */
  readonly from: string;
  readonly count: number;
  readonly pattern: string;
  readonly type: string;
}

const placeOf = (text: string): string => {
  if (text === '-') return '';
  return text.startsWith('+') ? `${text.slice(1)}\0` : text.slice(1);
};

const parseStep = (frame: Frame): ScanStep => ({
  from: placeOf(frame.key(1)),
  count: Math.min(Math.max(1, smallInteger(frame, 2)), maxScanned),
  pattern: frame.key(3),
  type: frame.text(4),
});

/** The member's part of SCAN: `QSCAN - | +<last key> | =<first key> COUNT PATTERN TYPE` answers [`-` | `+<last key>`, keys]. */
export const qscan: ShardCommand = {
  kind: 'shard',
  combine: 'join',
  source: 'file',
  name: 'QSCAN',
  arity: 5,
  flags: ['readonly'],
  keys: noKeys,
  group: 'generic',
  summary: 'One step of SCAN in one shard.',
  read(store, frame, reply, now) {
    const { from, count, pattern, type } = parseStep(frame);
    const isWanted = (row: Row): boolean => (type === '' || shownType(row) === type) && live(row, now);
    const { found, last } = scanStep(store, { from, pattern, examined: count }, isWanted);
    reply.array(2);
    reply.bulk(last === null ? '-' : Buffer.from(`+${last}`, 'latin1'));
    reply.array(found.length);
    for (const key of found) reply.bulk(Buffer.from(key, 'latin1'));
  },
};

/** The member's part of WATCH: the version of each key as text, 0 for a key that does not exist. */
export const qversions: ShardCommand = {
  kind: 'shard',
  combine: 'join',
  source: 'rows',
  name: 'QVERSIONS',
  arity: -2,
  flags: ['readonly'],
  keys: noKeys,
  group: 'transactions',
  summary: 'Versions of keys.',
  read(store, frame, reply, now) {
    reply.array(frame.count - 1);
    for (let i = 1; i < frame.count; i++) {
      const row = store.get(frame.key(i));
      reply.integer(row && live(row, now) ? row.version : 0);
    }
  },
};
