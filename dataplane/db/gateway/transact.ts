import { requestKind } from '../batch/request-batch.ts';
import { isOrdered } from '../two-phase/step.ts';
import { coordinate, type Part, type SendStep, type TransactionOutcome } from '../two-phase/coordinator.ts';
import type { Protocol } from '../resp/reply-writer.ts';
import type { ShardRequest } from './request.ts';
import type { Router } from './router.ts';

/** Sends steps of transactions to the primaries of shards. */
export const stepSender =
  (router: Pick<Router, 'ask'>, { protocol = 2, deadline, asker }: Omit<TransactOptions, 'veto'> = {}): SendStep =>
  async (shard, payload) => {
    const kind = requestKind.step | (protocol === 3 ? requestKind.resp3 : 0);
    const inTurn = isOrdered(payload) ? { deadline, asker } : {};
    const answer = await router.ask(shard, { kind, payload, writes: true, ...inTurn });
    answer.overtaken?.();
    return answer;
  };

export interface TransactOptions {
  /** In which replies are written. */
  readonly protocol?: Protocol;
  /** Until when its parts may be prepared (performance.now(), milliseconds). */
  readonly deadline?: number | undefined;
  /** See {@link ShardRequest.asker}. */
  readonly asker?: ShardRequest['asker'];
  readonly veto?: (replies: readonly Buffer[]) => boolean;
}

/** Carries out a transaction over several shards. Never rejects. */
export const transact = (
  router: Pick<Router, 'ask'>,
  parts: readonly Part[],
  { veto, ...asked }: TransactOptions = {},
): Promise<TransactionOutcome> =>
  coordinate(parts, { send: stepSender(router, asked), ...(veto === undefined ? {} : { veto }) });
