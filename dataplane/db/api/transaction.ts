import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { WatchedKey } from '../batch/request-batch.ts';
import { DbError } from '../db-error.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Router } from '../gateway/router.ts';
import { runAtomically } from './atomic.ts';
import { commandList, planArguments } from './commands.ts';
import { bytesInJson, bytesOf, jsonOf, keyOf } from './json.ts';
import { readKeys, type ReadKey } from './reads.ts';

const operators = z.enum(['=', '!=', '<', '>']);

const comparison = z.discriminatedUnion('target', [
  /** Of a key that does not exist the value is empty, and equals nothing. */
  z.object({ key: bytesInJson, target: z.literal('value'), is: operators, value: bytesInJson }),
  /** Sequence of the log entry that changed the key last; 0: it does not exist. */
  z.object({ key: bytesInJson, target: z.literal('version'), is: operators, value: z.number().int().min(0) }),
  z.object({ key: bytesInJson, target: z.literal('exists'), value: z.boolean() }),
]);
export type Comparison = z.infer<typeof comparison>;

/**
 * `….txn`: compare, then, else. Atomic and serializable, over as many shards as it takes.
 *
 *     { "compare": [{ "key": "a", "target": "version", "is": "=", "value": 17 }], "then": [["SET","a","2"]], "else": [["GET","a"]] }
 *     { "succeeded": true, "results": ["OK"], "sequences": { "app-0": 18 } }
 *
 * `then` is carried out if all comparisons hold, otherwise `else`.
 */
export const transactionRequest = z.object({
  compare: z.array(comparison).max(1_000).default([]),
  // oxlint-disable-next-line unicorn/no-thenable -- a field of JSON that holds a list, never a function
  then: commandList.default([]),
  else: commandList.default([]),
});

/** Keys changed between the comparison and its consequence, so often in a row: then it is given up. */
const attempts = 12;
const pauseMs = 5;

const ordered = (order: number, is: z.infer<typeof operators>): boolean => {
  if (is === '=') return order === 0;
  if (is === '!=') return order !== 0;
  return is === '<' ? order < 0 : order > 0;
};

/** Whether a comparison holds for a key as it was read; null: it does not exist. Pure. */
export const holds = (compared: Comparison, row: ReadKey | null): boolean => {
  if (compared.target === 'exists') return (row !== null) === compared.value;
  if (compared.target === 'version') return ordered((row?.version ?? 0) - compared.value, compared.is);
  if (!row?.value) return compared.is === '!=';
  return ordered(Buffer.compare(row.value, bytesOf(compared.value)), compared.is);
};

/** All keys that are compared, each shard's in one state. */
const readCompared = async (
  router: Router,
  ranges: Ranges,
  keys: Iterable<string>,
): Promise<Map<string, ReadKey | null>> => {
  const found = new Map<string, ReadKey | null>();
  const groups = Map.groupBy(new Set(keys), (key) => ranges.find(key));
  await Promise.all(
    [...groups].map(async ([shard, own]) => {
      const { rows } = await readKeys(router, shard, own, 'linearizable');
      for (const [i, key] of own.entries()) found.set(key, rows[i] ?? null);
    }),
  );
  return found;
};

const attemptOnce = async (
  router: Router,
  database: string,
  request: z.infer<typeof transactionRequest>,
): Promise<object | null> => {
  const ranges = router.ranges(database);
  const rows = await readCompared(
    router,
    ranges,
    request.compare.map(({ key }) => keyOf(key)),
  );
  const succeeded = request.compare.every((each) => holds(each, rows.get(keyOf(each.key)) ?? null));
  const planned = request[succeeded ? 'then' : 'else'].map((args) => planArguments(args, ranges));
  const watched: WatchedKey[] = [...rows].map(([key, row]) => ({ key, version: row?.version ?? 0 }));
  const done = await runAtomically({ planned, watched, ranges, router });
  return done && { succeeded, results: done.replies.map(jsonOf), sequences: done.sequences };
};

/** The comparison is made on what was read, and its consequence depends on that being unchanged. @throws DbError */
export const runTransaction = async (
  router: Router,
  database: string,
  request: z.infer<typeof transactionRequest>,
): Promise<object> => {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(pauseMs * attempt * (0.5 + Math.random()));
    const answer = await attemptOnce(router, database, request);
    if (answer) return answer;
  }
  throw new DbError('TRYAGAIN', 'the compared keys change too often; not executed');
};
