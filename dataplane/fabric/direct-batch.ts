import type { DirectBatchOptions, JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { FabricError } from './fabric-error.ts';

/** Messages of a subject (wildcards allowed) from a sequence or a time on. */
export type BatchQuery = {
  readonly next_by_subj: string;
  readonly batch: number;
} & ({ readonly seq: number } | { readonly start_time: Date });

/** Longest time that one batch may take; a server that dies in the middle of one says nothing. */
const deadlineMs = 10_000;

const isNotFound = (error: unknown): boolean => (error as { code?: number }).code === 404;

/**
 * Reads up to `batch` messages in one request, from any server of the stream.
 * With a callback, because the client's iterator form keeps its subscription after the end.
 * @throws FabricError `timeout` when the batch is not complete within 10 s; what JetStream answers when it refuses
 */
export const directBatch = (manager: JetStreamManager, stream: string, query: BatchQuery): Promise<StoredMsg[]> =>
  new Promise((resolve, reject) => {
    const messages: StoredMsg[] = [];
    let stop: (error: Error) => void = reject;
    const timer = setTimeout(() => {
      stop(new FabricError('timeout', `a batch of ${stream} was not complete in time`));
    }, deadlineMs);
    const callback = (done: { err?: Error } | null, message: StoredMsg): void => {
      if (done === null) {
        messages.push(message);
        return;
      }
      clearTimeout(timer);
      if (done.err === undefined || isNotFound(done.err)) resolve(messages);
      else reject(done.err);
    };
    // the client's types know the callback on the wrong option type only
    manager.direct.getBatch(stream, { ...query, callback } as unknown as DirectBatchOptions).then((batch) => {
      stop = (error) => batch.stop(error);
    }, reject);
  });
