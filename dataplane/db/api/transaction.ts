import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { WatchedKey } from '../batch/request-batch.ts';
import { DbError } from '../db-error.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { Router } from '../gateway/router.ts';
import { runAtomically, type Atomic } from './atomic.ts';
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
const readCompared = (router: Router, database: string, keys: Iterable<string>): Promise<Map<string, ReadKey | null>> =>
  replanned(async (deadline) => {
    const ranges = router.ranges(database);
    const groups = [...Map.groupBy(new Set(keys), (key) => ranges.find(key))];
    const answers = await Promise.all(
      groups.map(([shard, own]) => readKeys(router, { shard, keys: own, how: 'linearizable', deadline })),
    );
    const found = new Map<string, ReadKey | null>();
    for (const [i, [, own]] of groups.entries()) {
      const answer = answers[i];
      if (!answer || answer === overtaken) return overtaken;
      for (const [j, key] of own.entries()) found.set(key, answer.rows[j] ?? null);
    }
    return found;
  });

const attemptOnce = async (
  router: Router,
  database: string,
  request: z.infer<typeof transactionRequest>,
): Promise<object | null> => {
  const rows = await readCompared(
    router,
    database,
    request.compare.map(({ key }) => keyOf(key)),
  );
  const succeeded = request.compare.every((each) => holds(each, rows.get(keyOf(each.key)) ?? null));
  const commands = request[succeeded ? 'then' : 'else'];
  const plan: Atomic['plan'] = (ranges) => commands.map((args) => planArguments(args, ranges));
  const watched: WatchedKey[] = [...rows].map(([key, row]) => ({ key, version: row?.version ?? 0 }));
  const done = await runAtomically({ plan, watched, database, router });
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
