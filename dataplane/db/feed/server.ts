import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { errorLine } from '../db-error.ts';
import { readEntry, type Change } from './change.ts';
import { feedRequest, type FeedAnswer, type FeedRequest } from './protocol.ts';
import type { CommittedEntry } from '../../replica/state-machine.ts';
import type { RecentEntries } from './recent.ts';
import type { Replay } from './replay.ts';

/** Bytes of one answer, about; one entry is never cut. */
const maxAnswerBytes = 512 * 1024;
/** Requests that may wait for a change at one member. */
const maxWaiting = 2_000;
const replayMs = 5_000;
const gainedError = 'COMPACTED keys with the prefix came from a shard that was merged into this one: read them anew';

export interface FeedServerOptions {
  readonly nats: NatsConnection;
  readonly subject: string;
  readonly recent: RecentEntries;
  readonly replay: Replay;
  readonly log: Logger;
}

const wire = (change: Change): Extract<FeedAnswer, { changes: unknown }>['changes'][number] => ({
  ...change,
  key: Buffer.from(change.key, 'latin1').toString('base64'),
  value: change.value?.toString('base64') ?? null,
});

/** Answers what has changed since a sequence, waiting for something to change if need be: request and reply. */
export class FeedServer {
  readonly #options: FeedServerOptions;
  #waiting = 0;

  constructor(options: FeedServerOptions) {
    this.#options = options;
  }

  /** Starts to answer; what it returns ends that. */
  listen(): () => void {
    const { nats, subject, log } = this.#options;
    const subscription = nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return;
        void this.answer(message.data).then((answer) => {
          try {
            message.respond(JSON.stringify(answer));
          } catch (failure) {
            log.warn({ err: failure }, 'changes could not be sent');
          }
        });
      },
    });
    return () => subscription.unsubscribe();
  }

  async answer(data: Uint8Array): Promise<FeedAnswer> {
    try {
      const request = feedRequest.parse(JSON.parse(Buffer.from(data).toString()));
      if (this.#waiting >= maxWaiting) return { error: 'TRYAGAIN too many watch this member' };
      this.#waiting++;
      return await this.#answer(request).finally(() => this.#waiting--);
    } catch (error) {
      return { error: errorLine(error) };
    }
  }

  async #answer(request: FeedRequest): Promise<FeedAnswer> {
    const { recent, replay } = this.#options;
    if (request.from < recent.oldest) {
      if (!(await replay.possible())) {
        return {
          error: `COMPACTED changes before sequence ${recent.oldest} are not kept; the oldest is ${recent.oldest}`,
        };
      }
      const { entries, next } = await replay.read(request.from, performance.now() + replayMs);
      return this.#fill(request, entries, next);
    }
    const deadline = performance.now() + request.waitMs;
    for (;;) {
      const answer = this.#fill(request, recent.from(request.from), Math.max(request.from, recent.last + 1));
      const left = deadline - performance.now();
      if ('error' in answer || answer.changes.length > 0 || left <= 0) return answer;
      await recent.changed(left);
    }
  }

  /** As many whole entries as fit. `next`: where to go on when all of them do. */
  #fill({ prefix, limit }: FeedRequest, entries: Iterable<CommittedEntry>, next: number): FeedAnswer {
    const wanted = Buffer.from(prefix, 'base64').toString('latin1');
    const { last } = this.#options.recent;
    const changes: Change[] = [];
    let bytes = 0;
    for (const entry of entries) {
      if (changes.length >= limit || bytes > maxAnswerBytes) return answerOf(changes, entry.seq, last);
      const found = readEntry(entry, wanted);
      if (found.gained) return changes.length > 0 ? answerOf(changes, entry.seq, last) : { error: gainedError };
      for (const change of found.changes) {
        changes.push(change);
        bytes += 100 + change.key.length + (change.value?.length ?? 0);
      }
    }
    return answerOf(changes, next, last);
  }
}

const answerOf = (changes: readonly Change[], next: number, sequence: number): FeedAnswer => ({
  changes: changes.map(wire),
  next,
  sequence,
});
