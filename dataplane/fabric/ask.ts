import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core';
import { newInbox } from './nats-connection.ts';

export interface AskOptions {
  readonly timeoutMs: number;
  readonly headers?: MsgHdrs;
}

/** What came of a request. */
export type Reply =
  | { readonly kind: 'answer'; readonly message: Msg }
  /** Nobody listens: surely not processed. */
  | { readonly kind: 'nobody' }
  /** It may have been processed, or may be yet. */
  | { readonly kind: 'silent'; readonly why: string };

type Settle = (reply: Reply) => void;

/** The requests of one connection that wait: answers to all come on one subscription. */
class Asked {
  readonly #nats: NatsConnection;
  readonly #inbox: string;
  readonly #waiting = new Map<string, Settle>();
  #next = 0;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
    this.#inbox = newInbox(nats);
    nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#waiting.get(message.subject.slice(this.#inbox.length + 1))?.(replyOf(message));
      },
    });
    void nats.closed().then(() => {
      for (const settle of this.#waiting.values()) settle({ kind: 'silent', why: 'the connection to NATS is closed' });
    });
  }

  send(subject: string, data: Uint8Array | string, { timeoutMs, headers }: AskOptions): Promise<Reply> {
    return new Promise((resolve) => {
      const token = (this.#next++).toString(36);
      const timer = setTimeout(() => settle({ kind: 'silent', why: `no answer within ${timeoutMs} ms` }), timeoutMs);
      const settle = (reply: Reply): void => {
        clearTimeout(timer);
        this.#waiting.delete(token);
        resolve(reply);
      };
      this.#waiting.set(token, settle);
      try {
        this.#nats.publish(subject, data, { reply: `${this.#inbox}.${token}`, ...(headers && { headers }) });
      } catch (error) {
        settle({ kind: 'silent', why: error instanceof Error ? error.message : String(error) });
      }
    });
  }
}

const asked = new WeakMap<NatsConnection, Asked>();

/**
 * A request on a hot path. Never rejects. nats-core's own `request` makes two errors, with their stacks, for each request
 * that is answered; of the CPU that a log entry takes on its primary that was a tenth.
 */
export const ask = (
  nats: NatsConnection,
  subject: string,
  data: Uint8Array | string,
  options: AskOptions,
): Promise<Reply> => {
  let all = asked.get(nats);
  if (all === undefined) {
    all = new Asked(nats);
    asked.set(nats, all);
  }
  return all.send(subject, data, options);
};

const replyOf = (message: Msg): Reply =>
  message.data.length === 0 && message.headers?.code === 503 ? { kind: 'nobody' } : { kind: 'answer', message };
