import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import { DbError, type DbErrorCode } from '../db-error.ts';
import { planTransaction, type Plan, type PlannedCommand } from '../gateway/plan.ts';
import type { WatchedKey } from '../batch/request-batch.ts';
import type { Ranges } from '../gateway/ranges.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { Router } from '../gateway/router.ts';
import { transact } from '../gateway/transact.ts';
import { decodeReply, ReplyError, type Reply } from '../resp/reply.ts';
import { splitReplies, type Part } from '../two-phase/coordinator.ts';

export interface Atomic {
  /** Its commands, for the ranges of the moment. */
  readonly plan: (ranges: Ranges) => readonly PlannedCommand[];
  readonly watched: readonly WatchedKey[];
  readonly database: string;
  readonly router: Router;
}

/** What an atomic request did; `sequences`: by shard, the state of its log that contains it. */
export interface Done {
  readonly replies: readonly Reply[];
  readonly sequences: Readonly<Record<string, number>>;
}

/** An error reply as an error. */
export const errorOfLine = (line: string): DbError => {
  const [code = 'ERR', ...rest] = line.split(' ');
  return new DbError(code as DbErrorCode, rest.join(' '));
};

const decoded = (reply: Buffer): Reply => decodeReply(reply)?.reply ?? null;

/**
 * Carries out commands atomically, in one shard or several. Null: a watched key has changed, nothing was executed.
 * @throws DbError whose code says whether it may have been executed
 */
export const runAtomically = (atomic: Atomic): Promise<Done | null> =>
  replanned(async (deadline) => {
    const ranges = atomic.router.ranges(atomic.database);
    const plan = planTransaction(atomic.plan(ranges), atomic.watched, ranges);
    const [part, ...others] = plan.parts;
    if (!part) return { replies: [], sequences: {} };
    return others.length === 0
      ? runInOne(atomic.router, plan, part, deadline)
      : runInSeveral(atomic.router, plan, deadline);
  });

const runInOne = async (
  router: Router,
  plan: Plan,
  { shard, watched, commands }: Part,
  deadline: number,
): Promise<Done | null | typeof overtaken> => {
  const payload = encodeTransaction(watched, commands);
  const answer = await router.ask(shard, { kind: requestKind.transaction, payload, writes: true, deadline });
  if (answer.overtaken) return overtaken;
  const whole = decoded(answer.reply);
  if (whole instanceof ReplyError) throw errorOfLine(whole.message);
  if (whole === null) return null;
  const replies = plan.merge(new Map([[shard, splitReplies(answer.reply)]])).map(decoded);
  return { replies, sequences: { [shard]: answer.sequence } };
};

const runInSeveral = async (router: Router, plan: Plan, deadline: number): Promise<Done | null | typeof overtaken> => {
  const outcome = await transact(router, plan.parts, { deadline });
  if (outcome.kind === 'overtaken') return overtaken;
  if (outcome.kind === 'failed') throw errorOfLine(outcome.error);
  if (outcome.kind !== 'committed') return null;
  return { replies: plan.merge(outcome.replies).map(decoded), sequences: Object.fromEntries(outcome.sequences) };
};
