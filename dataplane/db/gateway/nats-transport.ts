import type { NatsConnection } from '@nats-io/transport-node';
import { memberSubject } from '../../../contract/subjects.ts';
import { newInbox } from '../../fabric/nats-connection.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { Executor } from '../member/executor.ts';
import { answerToken } from '../member/listener.ts';
import type { Requester } from '../member/requester.ts';
import type { ShardLink, Transport } from './shard-link.ts';

interface Local {
  readonly pod: string;
  readonly executor: Executor;
}

/** Sends batches over NATS; a member's own batches go straight to its executor. */
export class NatsTransport implements Transport {
  connected = true;
  readonly #nats: NatsConnection;
  readonly #namespace: string;
  readonly #local: Local | null;
  readonly #inboxes = new Map<ShardLink, string>();
  readonly #requesters = new Map<ShardLink, Requester>();

  constructor(pod: Pod, executor: Executor | null) {
    this.#nats = pod.nats;
    this.#namespace = pod.env.QUARTET_NAMESPACE;
    this.#local = executor && { pod: pod.env.QUARTET_POD, executor };
    this.connected = !pod.nats.isClosed();
    void this.#follow();
  }

  send(link: ShardLink, pod: string, batch: Buffer, number: number): void {
    if (this.#local?.pod === pod) return this.#local.executor.handle(this.#requester(link), batch);
    const subject = memberSubject({ kind: 'db', namespace: this.#namespace, name: link.shard }, pod);
    this.#nats.publish(subject, batch, { reply: `${this.#inbox(link)}.${number}` });
  }

  #inbox(link: ShardLink): string {
    const known = this.#inboxes.get(link);
    if (known !== undefined) return known;
    const inbox = newInbox(this.#nats);
    this.#inboxes.set(link, inbox);
    this.#nats.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        const token = message.subject.slice(inbox.length + 1);
        if (token !== answerToken) link.undelivered(Number(token));
        else if (error === null)
          link.take(Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length));
      },
    });
    return inbox;
  }

  #requester(link: ShardLink): Requester {
    let requester = this.#requesters.get(link);
    if (!requester) {
      requester = { epoch: 0, refusedEpoch: 0, send: (message) => queueMicrotask(() => link.take(message)) };
      this.#requesters.set(link, requester);
    }
    return requester;
  }

  async #follow(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'disconnect') this.connected = false;
      else if (status.type === 'reconnect') this.connected = true;
    }
  }
}
