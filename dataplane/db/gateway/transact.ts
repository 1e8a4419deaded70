import { requestKind } from '../batch/request-batch.ts';
import { coordinate, type Part, type SendStep, type TransactionOutcome } from '../two-phase/coordinator.ts';
import type { Protocol } from '../resp/reply-writer.ts';
import type { Router } from './router.ts';

/** Sends steps of transactions to the primaries of shards. */
export const stepSender =
  (router: Router, protocol: Protocol = 2): SendStep =>
  (shard, payload) => {
    const kind = requestKind.step | (protocol === 3 ? requestKind.resp3 : 0);
    return router.ask(shard, { kind, payload, writes: true });
  };

export interface TransactOptions {
  /** In which replies are written. */
  readonly protocol?: Protocol;
  readonly veto?: (replies: readonly Buffer[]) => boolean;
}

/** Carries out a transaction over several shards. Never rejects. */
export const transact = (
  router: Router,
  parts: readonly Part[],
  { protocol = 2, veto }: TransactOptions = {},
): Promise<TransactionOutcome> =>
  coordinate(parts, { send: stepSender(router, protocol), ...(veto === undefined ? {} : { veto }) });
