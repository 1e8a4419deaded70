import { z } from 'zod';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { DbError } from '../db-error.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Router } from '../gateway/router.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply, ReplyError, type Reply } from '../resp/reply.ts';
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

/** Any of the members' reads, as new as it has to be. @throws DbError */
const read = async (
  router: Router,
  shard: DbShardEntry,
  command: Buffer,
  how: z.infer<typeof freshness>,
): Promise<{ reply: Reply; sequence: number }> => {
  const { reply, sequence } =
    how === 'linearizable'
      ? await router.ask(shard.name, { kind: 0, payload: command, writes: false })
      : await router.readAt(
          shard,
          command,
          'at' in how ? { sequence: how.at, maxLagMs: anyAge } : { sequence: 0, maxLagMs: how.maxLagMs },
        );
  const decoded = decodeReply(reply)?.reply ?? null;
  if (decoded instanceof ReplyError) throw errorOfLine(decoded.message);
  return { reply: decoded, sequence };
};

const text = (reply: Reply | undefined): string => (Buffer.isBuffer(reply) ? reply.toString() : String(reply));
const bytesOrNull = (reply: Reply | undefined): Buffer | null => (Buffer.isBuffer(reply) ? Buffer.from(reply) : null);

/** Keys of one shard, all of the same state; null: it does not exist. @throws DbError */
export const readKeys = async (
  router: Router,
  shard: DbShardEntry,
  keys: readonly string[],
  how: z.infer<typeof freshness>,
): Promise<{ rows: (ReadKey | null)[]; sequence: number }> => {
  const command = encodeCommand(['QREAD', ...keys.map((key) => Buffer.from(key, 'latin1'))]);
  const { reply, sequence } = await read(router, shard, command, how);
  const rows = (reply as readonly (readonly Reply[] | null)[]).map((row) =>
    row === null ? null : { version: Number(row[0]), type: text(row[1]), value: bytesOrNull(row[2]) },
  );
  return { rows, sequence };
};

export const get = async (router: Router, database: string, request: z.infer<typeof getRequest>): Promise<object> => {
  const key = keyOf(request.key);
  const shard = router.ranges(database).find(key);
  const { rows, sequence } = await readKeys(router, shard, [key], request.freshness);
  const [row] = rows;
  const where = { shard: shard.name, sequence };
  if (!row) return { found: false, ...where };
  const value = row.value === null ? null : jsonOfBytes(row.value);
  return { found: true, type: row.type, value, version: row.version, ...where };
};

const latin1 = (utf8: string): string => Buffer.from(utf8, 'utf8').toString('latin1');

/** The shards that a range touches, in the order in which it is read. */
const shardsOf = (ranges: Ranges, start: string, end: string, reverse: boolean): DbShardEntry[] => {
  const touched = ranges.shards.filter(
    (shard) => (end === '' || latin1(shard.start) < end) && (shard.end === '' || latin1(shard.end) > start),
  );
  return reverse ? touched.toReversed() : touched;
};

const itemOf = (row: readonly Reply[]): object => ({
  key: jsonOfBytes(bytesOrNull(row[0]) ?? Buffer.alloc(0)),
  version: Number(row[1]),
  type: text(row[2]),
  value: row[3] === null ? null : jsonOfBytes(bytesOrNull(row[3]) ?? Buffer.alloc(0)),
});

export const range = async (
  router: Router,
  database: string,
  request: z.infer<typeof rangeRequest>,
): Promise<object> => {
  const [start, end] = [keyOf(request.start), keyOf(request.end)];
  const shards = shardsOf(router.ranges(database), start, end, request.reverse);
  if (typeof request.freshness === 'object' && 'at' in request.freshness && shards.length > 1) {
    throw new DbError('CROSSSHARD', 'a sequence belongs to one shard, and the range lies in several');
  }
  const items: object[] = [];
  const sequences: Record<string, number> = {};
  for (const shard of shards) {
    // One more than wanted tells whether there is more.
    const left = request.limit + 1 - items.length;
    const args = [Buffer.from(start, 'latin1'), Buffer.from(end, 'latin1'), String(left), request.reverse ? '1' : '0'];
    const { reply, sequence } = await read(router, shard, encodeCommand(['QROWS', ...args]), request.freshness);
    sequences[shard.name] = sequence;
    const rows = reply as readonly (readonly Reply[])[];
    items.push(...rows.map(itemOf));
    if (rows.length < left && rows.length > 0 && isCut(rows)) return { items, more: true, sequences };
    if (items.length > request.limit) return { items: items.slice(0, request.limit), more: true, sequences };
  }
  return { items, more: false, sequences };
};

/** Whether a member stopped because of the size of its answer. */
const isCut = (rows: readonly (readonly Reply[])[]): boolean =>
  rows.reduce((sum, row) => sum + (bytesOrNull(row[0])?.length ?? 0) + (bytesOrNull(row[3])?.length ?? 0), 0) >
  1024 * 1024;
