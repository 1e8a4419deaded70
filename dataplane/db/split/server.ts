import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { LogHolds } from '../../replica/log-holds.ts';
import { ReplicaError } from '../../replica/replica.ts';
import { DbError } from '../db-error.ts';
import type { Planner } from './planner.ts';
import {
  decodeSplitRequest,
  encodeSplitAnswer,
  encodeSplitFailure,
  type SplitAnswers,
  type SplitRequest,
} from './protocol.ts';
import type { SplitSource } from './source.ts';

/** Requests that are carried out at the same time. Each may be repeated, so more are those of somebody who does not wait. */
const maxAtOnce = 16;

export interface SplitServerOptions {
  readonly planner: Pick<Planner, 'plan' | 'planMerge'>;
  readonly source: Pick<SplitSource, 'handOver' | 'release' | 'bar'>;
  readonly holds: Pick<LogHolds, 'keep' | 'release'>;
  readonly log: Logger;
}

/** Answers the primary of a shard that takes keys over: the side of the shard that has them. */
export class SplitServer {
  readonly #options: SplitServerOptions;
  #running = 0;

  constructor(options: SplitServerOptions) {
    this.#options = options;
  }

  /** Starts to listen; answers the function that ends it. */
  listen(nats: NatsConnection, subject: string): () => void {
    const subscription = nats.subscribe(subject, {
      callback: (error, message) => {
        if (!error) void this.#answer(message);
      },
    });
    return () => subscription.unsubscribe();
  }

  async #answer(message: Msg): Promise<void> {
    message.respond(await this.respond(message.string()));
  }

  /** Answers a request. Never rejects. */
  async respond(text: string): Promise<string> {
    if (this.#running >= maxAtOnce) return encodeSplitFailure(new DbError('TRYAGAIN', 'too many requests of a split'));
    this.#running += 1;
    try {
      return encodeSplitAnswer(await this.#carryOut(decodeSplitRequest(text)));
    } catch (error) {
      const expected = error instanceof DbError || error instanceof ReplicaError;
      if (!expected) this.#options.log.error({ err: error }, 'a request of a split failed');
      return encodeSplitFailure(error);
    } finally {
      this.#running -= 1;
    }
  }

  async #carryOut(request: SplitRequest): Promise<SplitAnswers[keyof SplitAnswers]> {
    const { planner, source, holds } = this.#options;
    switch (request.type) {
      case 'plan':
        return planner.plan(request.at);
      case 'plan-merge':
        return planner.planMerge();
      case 'keep':
        holds.keep(request.to, request.after, performance.now());
        return {};
      case 'hand-over':
        return this.#handOver(request);
      case 'release':
        await source.release(request);
        holds.release(request.to);
        this.#options.log.info({ to: request.to, epoch: request.epoch }, 'split: the other shard is open');
        return {};
      case 'bar':
        return this.#bar(request);
    }
  }

  async #bar(request: Extract<SplitRequest, { type: 'bar' }>): Promise<SplitAnswers['bar']> {
    const answer = await this.#options.source.bar(request);
    const { to, epoch } = request;
    if (!answer.handed) this.#options.holds.release(to);
    this.#options.log.info({ to, epoch, ...answer }, 'split: the other shard takes its merge back');
    return answer;
  }

  async #handOver(request: Extract<SplitRequest, { type: 'hand-over' }>): Promise<SplitAnswers['hand-over']> {
    const given = await this.#options.source.handOver(request);
    const { to, epoch } = request;
    this.#options.log.info({ to, epoch, seq: given.seq, range: given.range }, 'split: keys were handed over');
    return given;
  }
}
