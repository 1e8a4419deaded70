import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Executor } from './executor.ts';
import type { Requester } from './requester.ts';

/** Gateways that are remembered. A gateway that is forgotten and sends again starts anew, which is right. */
const maxRequesters = 1_000;

/** Answers that are kept while NATS is away, bytes; what does not fit is lost, and gateways call it unknown. */
const maxKeptBytes = 32 * 1024 * 1024;

/** The token that answers go to, beside the batch number that requests carry in the same place. */
export const answerToken = 'answers';

/**
 * Takes batches of requests from gateways on the member's subject. The reply subject of a request is
 * `<inbox>.<batch number>`, so that NATS' own "no responders" names the batch; answers go to `<inbox>.answers`.
 */
export class RequestListener {
  readonly #nats: NatsConnection;
  readonly #executor: Executor;
  readonly #log: Logger;
  readonly #requesters = new Map<string, Requester>();
  #connected = true;
  #kept: { subject: string; message: Buffer }[] = [];
  #keptBytes = 0;

  constructor(nats: NatsConnection, executor: Executor, log: Logger) {
    this.#nats = nats;
    this.#executor = executor;
    this.#log = log;
    void this.#followConnection();
  }

  /** Starts to listen; answers the function that ends it. */
  listen(subject: string): () => void {
    const subscription = this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null && message.reply !== undefined) this.#take(message.reply, message.data);
      },
    });
    return () => subscription.unsubscribe();
  }

  #take(reply: string, data: Uint8Array): void {
    const inbox = reply.slice(0, reply.lastIndexOf('.'));
    const batch = Buffer.from(data.buffer, data.byteOffset, data.length);
    try {
      this.#executor.handle(this.#requester(inbox), batch);
    } catch (error) {
      this.#log.error({ err: error, inbox, bytes: batch.length }, 'a malformed batch of requests was dropped');
    }
  }

  #requester(inbox: string): Requester {
    const known = this.#requesters.get(inbox);
    if (known) return known;
    const subject = `${inbox}.${answerToken}`;
    const requester: Requester = { epoch: 0, refusedEpoch: 0, send: (message) => this.#publish(subject, message) };
    const [oldest] = this.#requesters.keys();
    if (this.#requesters.size >= maxRequesters && oldest !== undefined) this.#requesters.delete(oldest);
    this.#requesters.set(inbox, requester);
    return requester;
  }

  async #followConnection(): Promise<void> {
    for await (const { type } of this.#nats.status()) {
      if (type === 'disconnect') this.#connected = false;
      if (type !== 'reconnect') continue;
      this.#connected = true;
      this.#keptBytes = 0;
      for (const { subject, message } of this.#kept.splice(0)) this.#publish(subject, message);
    }
  }

  #publish(subject: string, message: Buffer): void {
    if (!this.#connected) return this.#keep(subject, message);
    try {
      this.#nats.publish(subject, message);
    } catch (error) {
      this.#log.warn({ err: error, subject }, 'an answer could not be sent');
    }
  }

  #keep(subject: string, message: Buffer): void {
    if (this.#keptBytes + message.length > maxKeptBytes) return;
    this.#keptBytes += message.length;
    this.#kept.push({ subject, message });
  }
}
