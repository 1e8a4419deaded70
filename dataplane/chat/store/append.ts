import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError, type JetStreamClient } from '@nats-io/jetstream';
import { ChatError } from '../chat-error.ts';
import type { Appended } from './message-log.ts';

/** A message on its way into a stream. */
export interface Append {
  readonly subject: string;
  /** Differs between messages, is the same for every attempt of one: the server stores it once. */
  readonly id: string;
  readonly body: string;
}

export interface AppendTimes {
  readonly attemptMs: number;
  readonly deadlineMs: number;
}

/** Errors of the server after which the same attempt may succeed: no leader now, the same id is being stored now. */
const retriable = new Set([10008, 10158]);

type Verdict = 'retry' | 'maybe-stored' | 'refused';

/** What a failed attempt says about the message. Only an answer of the server is certain. */
export const judgeFailure = (error: unknown): Verdict => {
  if (error instanceof JetStreamApiError) {
    const { code, err_code: detail } = error.apiError();
    return code === 503 || retriable.has(detail) ? 'retry' : 'refused';
  }
  // the client's name for: nobody took the message
  return (error as Error).name === 'JetStreamNotEnabled' ? 'retry' : 'maybe-stored';
};

/**
 * Appends by repeating the attempt with the same message id until the server answers: the answer to a repetition says
 * whether the first one was stored. A deadline ends it.
 * @throws ChatError `unknown-outcome`, `unavailable` (surely not stored) or `refused` (surely not stored)
 */
export const append = async (jetstream: JetStreamClient, message: Append, times: AppendTimes): Promise<Appended> => {
  const deadline = performance.now() + times.deadlineMs;
  let maybeStored = false;
  let last: unknown;
  do {
    try {
      const timeout = Math.max(50, Math.min(times.attemptMs, deadline - performance.now()));
      const ack = await jetstream.publish(message.subject, message.body, { msgID: message.id, timeout, retries: 1 });
      return { seq: ack.seq, duplicate: ack.duplicate };
    } catch (error) {
      last = error;
      const verdict = judgeFailure(error);
      if (verdict === 'maybe-stored') maybeStored = true;
      if (verdict === 'refused' && !maybeStored) {
        throw new ChatError('refused', `the stream refused the message: ${(error as Error).message}`, { cause: error });
      }
    }
    await sleep(50 + Math.random() * 100);
  } while (performance.now() < deadline);
  throw maybeStored
    ? new ChatError('unknown-outcome', 'the store did not say whether the message is stored', { cause: last })
    : new ChatError('unavailable', 'the store takes no messages now', { cause: last });
};
