import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { memberSubject } from '../../../contract/subjects.ts';
import { answerStatus, decodeAnswers } from '../batch/answer-batch.ts';
import { encodeRequests, type BatchedRequest } from '../batch/request-batch.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply, type Reply } from '../resp/reply.ts';

/** What a member answered; null: nothing within the time. */
export type MemberAnswer = { readonly status: number; readonly bytes: Buffer } | null;

const answerMs = 5_000;

/** Asks members directly, one request after the other, as a gateway that knows nothing of ranges. */
export class MemberClient {
  readonly #nats: NatsConnection;
  #epoch = 0;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  async request(
    shard: string,
    pod: string,
    { kind, payload }: Pick<BatchedRequest, 'kind' | 'payload'>,
  ): Promise<MemberAnswer> {
    const subject = memberSubject({ kind: 'db', namespace: 'test', name: shard }, pod);
    const inbox = `_INBOX.test.${Math.random().toString(36).slice(2)}`;
    const parts: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<MemberAnswer>();
    const subscription = this.#nats.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error || message.data.length === 0)
          return resolve({ status: answerStatus.refused, bytes: Buffer.alloc(0) });
        for (const { status, bytes } of decodeAnswers(Buffer.from(message.data))) {
          parts.push(Buffer.from(bytes));
          if (status !== answerStatus.part) resolve({ status, bytes: Buffer.concat(parts) });
        }
      },
    });
    this.#nats.publish(subject, encodeRequests(++this.#epoch, [{ id: 1, kind, payload }]), { reply: `${inbox}.1` });
    const stop = new AbortController();
    const silence = sleep(answerMs, null, { signal: stop.signal }).catch(() => null);
    try {
      return await Promise.race([promise, silence]);
    } finally {
      stop.abort();
      subscription.unsubscribe();
    }
  }

  /** A command's reply; a status when it was not executed, or nobody knows. */
  async command(shard: string, pod: string, ...words: (string | Buffer)[]): Promise<Reply | { status: number }> {
    const answer = await this.request(shard, pod, { kind: 0, payload: encodeCommand(words) });
    if (answer === null) return { status: answerStatus.unknown };
    if (answer.status !== answerStatus.reply) return { status: answer.status };
    return decodeReply(answer.bytes)?.reply ?? null;
  }
}
