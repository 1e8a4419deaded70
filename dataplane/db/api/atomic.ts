import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import { DbError, type DbErrorCode } from '../db-error.ts';
import { planTransaction, type PlannedCommand } from '../gateway/plan.ts';
import type { WatchedKey } from '../batch/request-batch.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Router } from '../gateway/router.ts';
import { transact } from '../gateway/transact.ts';
import { decodeReply, ReplyError, type Reply } from '../resp/reply.ts';
import { splitReplies } from '../two-phase/coordinator.ts';

export interface Atomic {
  readonly planned: readonly PlannedCommand[];
  readonly watched: readonly WatchedKey[];
  readonly ranges: Ranges;
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
export const runAtomically = async ({ planned, watched, ranges, router }: Atomic): Promise<Done | null> => {
  const plan = planTransaction(planned, watched, ranges);
  const [part, ...others] = plan.parts;
  if (!part) return { replies: [], sequences: {} };
  if (others.length === 0) {
    const payload = encodeTransaction(part.watched, part.commands);
    const { reply, sequence } = await router.ask(part.shard, { kind: requestKind.transaction, payload, writes: true });
    const whole = decoded(reply);
    if (whole instanceof ReplyError) throw errorOfLine(whole.message);
    if (whole === null) return null;
    const replies = plan.merge(new Map([[part.shard, splitReplies(reply)]])).map(decoded);
    return { replies, sequences: { [part.shard]: sequence } };
  }
  const outcome = await transact(router, plan.parts);
  if (outcome.kind === 'failed') throw errorOfLine(outcome.error);
  if (outcome.kind !== 'committed') return null;
  return { replies: plan.merge(outcome.replies).map(decoded), sequences: Object.fromEntries(outcome.sequences) };
};
