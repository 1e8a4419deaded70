import type { DirectBatchOptions, JetStreamManager, StoredMsg } from '@nats-io/jetstream';

/** Messages of a subject (wildcards allowed) from a sequence or a time on. */
export type BatchQuery = {
  readonly next_by_subj: string;
  readonly batch: number;
} & ({ readonly seq: number } | { readonly start_time: Date });

const isNotFound = (error: unknown): boolean => (error as { code?: number }).code === 404;

/**
 * Reads up to `batch` messages in one request, from any server of the stream.
 * With a callback, because the iterator form keeps its subscription after the end.
 */
export const directBatch = (manager: JetStreamManager, stream: string, query: BatchQuery): Promise<StoredMsg[]> =>
  new Promise((resolve, reject) => {
    const messages: StoredMsg[] = [];
    const callback = (done: { err?: Error } | null, message: StoredMsg): void => {
      if (done === null) messages.push(message);
      else if (done.err === undefined || isNotFound(done.err)) resolve(messages);
      else reject(done.err);
    };
    // the client's types know the callback on the wrong option type only
    manager.direct.getBatch(stream, { ...query, callback } as unknown as DirectBatchOptions).catch(reject);
  });
