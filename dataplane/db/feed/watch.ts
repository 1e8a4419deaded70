import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { memberFeedSubject } from '../../../contract/subjects.ts';
import { DbError, type DbErrorCode } from '../db-error.ts';
import type { Change } from './change.ts';
import { feedAnswer, type FeedAnswer, type FeedRequest } from './protocol.ts';

/** A member is given so much longer than it may wait, milliseconds. */
const graceMs = 7_000;
const attempts = 5;
const pauseMs = 100;

export interface FeedSource {
  readonly nats: NatsConnection;
  /** The shard as the directory knows it now; undefined: gone. */
  readonly shard: () => DbShardEntry | undefined;
  /** A member of it that can be asked; null: none is known. */
  readonly member: (shard: DbShardEntry) => string | null;
}

/** Changes of one shard, from one request. */
export interface Changes {
  readonly changes: readonly Change[];
  /** Ask from here next. */
  readonly next: number;
  readonly sequence: number;
}

const decode = (answer: Exclude<FeedAnswer, { error: string }>): Changes => ({
  ...answer,
  changes: answer.changes.map((change) => ({
    ...change,
    key: Buffer.from(change.key, 'base64').toString('latin1'),
    value: change.value === null ? null : Buffer.from(change.value, 'base64'),
  })),
});

const codes: readonly DbErrorCode[] = ['COMPACTED', 'TRYAGAIN', 'ERR'];

const failure = (line: string): DbError => {
  const [word = '', ...rest] = line.split(' ');
  return new DbError(codes.find((code) => code === word) ?? 'ERR', rest.join(' '));
};

const askOnce = async ({ nats, shard, member }: FeedSource, request: FeedRequest): Promise<Changes> => {
  const entry = shard();
  if (!entry) throw new DbError('CLUSTERDOWN', 'there is no such shard');
  const pod = member(entry);
  if (pod === null) throw new DbError('TRYAGAIN', `no member of shard ${entry.name} is known to be alive`);
  const subject = memberFeedSubject({ kind: 'db', namespace: entry.namespace, name: entry.name }, pod);
  const reply = await nats.request(subject, JSON.stringify(request), { timeout: request.waitMs + graceMs });
  const answer = feedAnswer.parse(JSON.parse(reply.string()));
  if ('error' in answer) throw failure(answer.error);
  return decode(answer);
};

/**
 * Asks once what has changed since a sequence; another member is asked when one does not answer.
 * @throws DbError COMPACTED when the changes are not kept any more, TRYAGAIN, CLUSTERDOWN
 */
export const askForChanges = async (source: FeedSource, request: FeedRequest): Promise<Changes> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(source, request);
    } catch (error) {
      const compacted = error instanceof DbError && error.code === 'COMPACTED';
      // Another member may remember more: it is asked once or twice before that is believed.
      if (attempt >= (compacted ? 3 : attempts)) {
        throw error instanceof DbError ? error : new DbError('TRYAGAIN', 'no member answers', { cause: error });
      }
      await sleep(pauseMs * attempt * (0.5 + Math.random()));
    }
  }
};

export interface WatchOptions {
  /** One character a byte. */
  readonly prefix: string;
  /** First sequence that is wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
}

/**
 * All changes of keys with a prefix in one shard, in the order of its log, without a gap, from a sequence on, for ever:
 * whole entries, those of one answer together. An answer without changes comes when there were none for two seconds.
 * The reader sets the pace: nothing is fetched before it has taken what it has. Ends with the signal.
 * @throws as {@link askForChanges}; to go on, watch from `next` of what came last
 */
export async function* watchFeed(source: FeedSource, { prefix, from, signal }: WatchOptions): AsyncGenerator<Changes> {
  const encoded = Buffer.from(prefix, 'latin1').toString('base64');
  for (let next = from; !signal.aborted;) {
    const found = await askForChanges(source, { prefix: encoded, from: next, limit: 1_000, waitMs: 2_000 });
    if (signal.aborted) return;
    yield found;
    next = found.next;
  }
}
