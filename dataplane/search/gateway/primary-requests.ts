import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { MemberRequest } from '../member/protocol.ts';
import type { WriteItem, WriteOutcome } from '../primary/write-item.ts';
import { SearchError, type SearchErrorCode } from '../search-error.ts';
import type { Answer, MemberAccess } from './member-client.ts';

/** How long a request tries to reach a primary. */
const deadlineMs = 15_000;
const attemptMs = 5_000;
const pauseMs = 60;

const jittered = (ms: number): number => ms * (0.5 + Math.random());

/** Codes with which a request was surely not carried out, and another try may do. */
const retriable = new Set<string>(['not-primary', 'overloaded']);

/**
 * Brings requests to the primary of a shard, across changes of the primary. Asking twice does no harm: writes carry a nonce
 * by which the primary knows them again (the log has carried it along), all else is idempotent. A write whose outcome was
 * lost is therefore asked for again until the deadline; the primary answers from its record if it was carried out. A
 * primary that was deposed meanwhile cannot add it later: entries of lower terms do not count.
 */
export class PrimaryRequests {
  readonly #client: MemberAccess;
  readonly #current: (shard: SearchShardEntry) => SearchShardEntry;

  /** `current`: the newest directory entry of a shard. */
  constructor(client: MemberAccess, current: (shard: SearchShardEntry) => SearchShardEntry) {
    this.#client = client;
    this.#current = current;
  }

  /** The primary's answer. Throws SearchError: what it refused with, or `unavailable`. */
  async ask<T extends object>(shard: SearchShardEntry, request: MemberRequest, limitMs = deadlineMs): Promise<T> {
    const deadline = performance.now() + limitMs;
    let last = 'no primary is known';
    while (performance.now() < deadline) {
      const answer = await this.#once<T>(shard, request, deadline);
      if (answer !== null && answer.ok) return answer;
      if (answer !== null) {
        if (answer.code !== 'no-answer' && answer.code !== 'failed' && !retriable.has(answer.code)) {
          throw new SearchError(answer.code as SearchErrorCode, answer.errorType, answer.reason);
        }
        last = answer.reason;
      }
      await sleep(jittered(pauseMs));
    }
    throw new SearchError(
      'unavailable',
      'unavailable_shards_exception',
      `[${shard.index}][${shard.ordinal}] primary shard is not active: ${last}`,
    );
  }

  async #once<T>(shard: SearchShardEntry, request: MemberRequest, deadline: number): Promise<Answer<T> | null> {
    const entry = this.#current(shard);
    const pod = this.#client.primaryOf(entry);
    if (pod === null) return null;
    return this.#client.ask<T>(entry, pod, request, Math.min(attemptMs, deadline - performance.now()));
  }

  /** Carries out writes, in order; outcomes in the same order. Never rejects. */
  async write(shard: SearchShardEntry, items: readonly WriteItem[]): Promise<WriteOutcome[]> {
    const deadline = performance.now() + deadlineMs;
    const outcomes: WriteOutcome[] = items.map(() => unavailable(shard, 'no primary is known'));
    let open = items.map((_, index) => index);
    for (;;) {
      const answer = await this.#writeOnce(
        shard,
        open.map((index) => items[index] as WriteItem),
        deadline,
      );
      const again: number[] = [];
      for (const [place, index] of open.entries()) {
        const outcome = answer[place] ?? unavailable(shard, 'the reply was cut short');
        outcomes[index] = outcome;
        if (!outcome.ok && outcome.retry !== 'no') again.push(index);
      }
      if (again.length === 0 || performance.now() >= deadline) return outcomes;
      open = again;
      await sleep(jittered(pauseMs));
    }
  }

  async #writeOnce(shard: SearchShardEntry, items: WriteItem[], deadline: number): Promise<readonly WriteOutcome[]> {
    const answer = await this.#once<{ outcomes: WriteOutcome[] }>(shard, { type: 'write', items }, deadline);
    if (answer?.ok === true) return answer.outcomes;
    const outcome = unavailable(shard, answer?.reason ?? 'no primary is known');
    return items.map(() => outcome);
  }
}

function unavailable(shard: SearchShardEntry, reason: string): WriteOutcome {
  return {
    ok: false,
    retry: 'retry',
    status: 503,
    type: 'unavailable_shards_exception',
    reason: `[${shard.index}][${shard.ordinal}] primary shard is not active: ${reason}`,
  };
}
