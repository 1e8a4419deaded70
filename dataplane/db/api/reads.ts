import { z } from 'zod';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { DbError } from '../db-error.ts';
import { inEpoch, type EpochRequest } from '../batch/epoch.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { Router } from '../gateway/router.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply, ReplyError, type Reply } from '../resp/reply.ts';
import { overlap } from '../store/key-range.ts';
import { errorOfLine } from './atomic.ts';
import { bytesInJson, jsonOfBytes, keyOf } from './json.ts';

/**
 * How new a read has to be.
 * - linearizable: it sees every write that was acknowledged before it began. The primary answers
 * - `{ "maxLagMs": 500 }`: some state that is at most so old. Any member answers; STALE when none is young enough
 * - `{ "at": 17 }`: the state at that sequence of the shard's log. Any member answers, for the last few seconds;
 *   COMPACTED when it is older than what is kept, STALE when it is not there yet
 */
export const freshness = z.union([
  z.literal('linearizable'),
  z.object({ maxLagMs: z.number().int().min(1).max(3_600_000) }),
  z.object({ at: z.number().int().positive() }),
]);

/** `….get`: `{ "key": "a" }` → `{ "found": true, "type": "string", "value": "1", "version": 17, "shard": "app-0", "sequence": 20 }` */
export const getRequest = z.object({ key: bytesInJson, freshness: freshness.default('linearizable') });

/**
 * `….range`: `{ "start": "a", "end": "b", "limit": 10 }` → `{ "items": [{ "key", "type", "value", "version" }], "more": false, "sequences": { … } }`
 * From `start` on, before `end` ('' = to the last key), in the order of bytes; `more`: the limit, or 1 MiB, was reached.
 */
export const rangeRequest = z.object({
  start: bytesInJson.default(''),
  end: bytesInJson.default(''),
  limit: z.number().int().min(1).max(1_000).default(100),
  reverse: z.boolean().default(false),
  freshness: freshness.default('linearizable'),
});

/** A key as QREAD answers it. */
export interface ReadKey {
  readonly version: number;
  readonly type: string;
  readonly value: Buffer | null;
}

const anyAge = 3_600_000;

type Freshness = z.infer<typeof freshness>;

/** A read of one shard. */
interface ShardRead extends EpochRequest {
  readonly shard: DbShardEntry;
  readonly how: Freshness;
  /** performance.now(), milliseconds. */
  readonly deadline: number;
}

const isAt = (how: Freshness): boolean => typeof how === 'object' && 'at' in how;

const place = (how: Exclude<Freshness, 'linearizable'>): { sequence: number; maxLagMs: number } =>
  'at' in how ? { sequence: how.at, maxLagMs: anyAge } : { sequence: 0, maxLagMs: how.maxLagMs };

/** Any of the members' reads, as new as it has to be. @throws DbError */
const read = async (
  router: Router,
  { shard, kind, payload, how, deadline }: ShardRead,
): Promise<{ reply: Reply; sequence: number } | typeof overtaken> => {
  const answer =
    how === 'linearizable'
      ? await router.ask(shard.name, { kind, payload, writes: false, deadline })
      : await router.readAt(shard, { kind, payload, deadline }, place(how));
  if (answer.overtaken) return overtaken;
  const decoded = decodeReply(answer.reply)?.reply ?? null;
  if (decoded instanceof ReplyError) throw errorOfLine(decoded.message);
  return { reply: decoded, sequence: answer.sequence };
};

const text = (reply: Reply | undefined): string => (Buffer.isBuffer(reply) ? reply.toString() : String(reply));
const bytesOrNull = (reply: Reply | undefined): Buffer | null => (Buffer.isBuffer(reply) ? Buffer.from(reply) : null);

interface KeysRead extends Omit<ShardRead, 'kind' | 'payload'> {
  readonly keys: readonly string[];
}

/** Keys of one shard, all of the same state; null: it does not exist. @throws DbError */
export const readKeys = async (
  router: Router,
  { keys, ...where }: KeysRead,
): Promise<{ rows: (ReadKey | null)[]; sequence: number } | typeof overtaken> => {
  const payload = encodeCommand(['QREAD', ...keys.map((key) => Buffer.from(key, 'latin1'))]);
  const found = await read(router, { ...where, kind: 0, payload });
  if (found === overtaken) return overtaken;
  const rows = (found.reply as readonly (readonly Reply[] | null)[]).map((row) =>
    row === null ? null : { version: Number(row[0]), type: text(row[1]), value: bytesOrNull(row[2]) },
  );
  return { rows, sequence: found.sequence };
};

export const get = (router: Router, database: string, request: z.infer<typeof getRequest>): Promise<object> =>
  replanned(async (deadline) => {
    const key = keyOf(request.key);
    const shard = router.ranges(database).find(key);
    const found = await readKeys(router, { shard, keys: [key], how: request.freshness, deadline });
    if (found === overtaken) return overtaken;
    const [row] = found.rows;
    const where = { shard: shard.name, sequence: found.sequence };
    if (!row) return { found: false, ...where };
    const value = row.value === null ? null : jsonOfBytes(row.value);
    return { found: true, type: row.type, value, version: row.version, ...where };
  });

const itemOf = (row: readonly Reply[]): object => ({
  key: jsonOfBytes(bytesOrNull(row[0]) ?? Buffer.alloc(0)),
  version: Number(row[1]),
  type: text(row[2]),
  value: row[3] === null ? null : jsonOfBytes(bytesOrNull(row[3]) ?? Buffer.alloc(0)),
});

type Bounds = Readonly<Record<'start' | 'end', string>>;

interface Wanted extends Bounds, Pick<z.infer<typeof rangeRequest>, 'reverse' | 'freshness'> {
  readonly database: string;
  /** Items that are still wanted, and one more, which tells whether there are more. */
  readonly left: number;
}

interface Page {
  readonly shard: string;
  readonly sequence: number;
  readonly rows: readonly (readonly Reply[])[];
  /** What is to be read after it; null: nothing. */
  readonly rest: Bounds | null;
}

/** What the shard has that comes next; null: no shard does. */
const readPage = async (
  router: Router,
  { database, start, end, left, reverse, freshness: how }: Wanted,
  deadline: number,
): Promise<Page | null | typeof overtaken> => {
  const ranges = router.ranges(database);
  const parts = ranges.served(start, end);
  const part = reverse ? parts.at(-1) : parts[0];
  if (!part) return null;
  if (isAt(how) && parts.length > 1) {
    throw new DbError('CROSSSHARD', 'a sequence belongs to one shard, and the range lies in several');
  }
  // The shard may have more by the time that it is asked.
  const bounds = overlap(part, { start, end });
  const ends = [bounds.start, bounds.end].map((key) => Buffer.from(key, 'latin1'));
  const args = [...ends, String(left), reverse ? '1' : '0'];
  const asked = inEpoch({ kind: 0, payload: encodeCommand(['QROWS', ...args]) }, part.epoch);
  const found = await read(router, { ...asked, shard: part.shard, how, deadline });
  if (found === overtaken) return overtaken;
  const rest = reverse ? { start, end: part.start } : { start: part.end, end };
  return {
    shard: part.shard.name,
    sequence: found.sequence,
    rows: found.reply as readonly (readonly Reply[])[],
    rest: parts.length > 1 ? rest : null,
  };
};

export const range = async (
  router: Router,
  database: string,
  request: z.infer<typeof rangeRequest>,
): Promise<object> => {
  const items: object[] = [];
  const sequences: Record<string, number> = {};
  let rest: Bounds | null = { start: keyOf(request.start), end: keyOf(request.end) };
  while (rest !== null) {
    // One more than wanted tells whether there is more.
    const left = request.limit + 1 - items.length;
    const { reverse, freshness: how } = request;
    const wanted: Wanted = { ...rest, database, left, reverse, freshness: how };
    const found: Page | null = await replanned((deadline) => readPage(router, wanted, deadline));
    if (found === null) break;
    const { rows, shard, sequence } = found;
    sequences[shard] = sequence;
    items.push(...rows.map(itemOf));
    if (rows.length < left && rows.length > 0 && isCut(rows)) return { items, more: true, sequences };
    if (items.length > request.limit) return { items: items.slice(0, request.limit), more: true, sequences };
    rest = found.rest;
  }
  return { items, more: false, sequences };
};

/** Whether a member stopped because of the size of its answer. */
const isCut = (rows: readonly (readonly Reply[])[]): boolean =>
  rows.reduce((sum, row) => sum + (bytesOrNull(row[0])?.length ?? 0) + (bytesOrNull(row[3])?.length ?? 0), 0) >
  1024 * 1024;
