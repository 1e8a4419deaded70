import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { newInbox } from '../fabric/nats-connection.ts';
import { LogError } from './log-error.ts';
import type { ReadLimit, StoredEntry } from './replicated-log.ts';

/** Batch reads by JetStream's direct get: any copy of the stream answers, so what is missing may just be late there. */
export interface DirectGetRequest extends ReadLimit {
  readonly stream: string;
  readonly from: number;
  readonly timeoutMs: number;
}

const endOfBatch = 204;
const notFound = 404;
const noResponders = 503;

/**
 * Messages from a sequence on, in order; may be empty. The first may have a higher sequence than was asked for (what
 * was before it is gone). Rejects with LogError `unavailable`; a batch that breaks off answers what came.
 */
export function directGet(nats: NatsConnection, request: DirectGetRequest): Promise<readonly StoredEntry[]> {
  return new Promise((resolve, reject) => {
    const found: StoredEntry[] = [];
    const inbox = newInbox(nats);
    const finish = (error: LogError | null): void => {
      clearTimeout(timer);
      subscription.unsubscribe();
      if (error !== null && found.length === 0) reject(error);
      else resolve(found);
    };
    const timer = setTimeout(() => finish(new LogError('unavailable', 'no answer to a read')), request.timeoutMs);
    const subscription = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return finish(new LogError('unavailable', 'the read failed', { cause: error }));
        const code = statusOf(message);
        if (code === 0) {
          found.push({ seq: Number(message.headers?.get('Nats-Sequence')), bytes: message.data });
          if (!message.headers?.has('Nats-Num-Pending')) finish(null);
        } else if (code === endOfBatch || code === notFound) finish(null);
        else finish(new LogError('unavailable', `status ${code}: ${message.headers?.description ?? ''}`));
      },
    });
    const { from: seq, entries: batch, bytes: max_bytes } = request;
    try {
      nats.publish(`$JS.API.DIRECT.GET.${request.stream}`, JSON.stringify({ seq, batch, max_bytes }), { reply: inbox });
    } catch (error) {
      finish(new LogError('unavailable', 'the connection is closed', { cause: error }));
    }
  });
}

const statusOf = (message: Msg): number => {
  const code = message.headers?.code ?? 0;
  return code === 0 && message.headers === undefined ? noResponders : code;
};
