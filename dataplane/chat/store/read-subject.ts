import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { directBatch } from '../../fabric/direct-batch.ts';

/** A subject (wildcards allowed) in a stream. */
export interface SubjectRange {
  readonly stream: string;
  readonly subject: string;
  /** Messages with after < sequence <= upTo. */
  readonly after: number;
  readonly upTo: number;
}

/**
 * Reads a range in batches, oldest first. Batches come from any server of the stream, and a follower may lack the
 * end: the leader has the last word on whether there is more. Misses nothing that was stored when the call began.
 */
export async function* readSubject(
  manager: JetStreamManager,
  range: SubjectRange,
  batch: number,
): AsyncGenerator<StoredMsg> {
  let cursor = range.after;
  while (cursor < range.upTo) {
    const from = { seq: cursor + 1, next_by_subj: range.subject };
    let messages = await directBatch(manager, range.stream, { ...from, batch });
    if (messages.length === 0) {
      const next = await manager.streams.getMessage(range.stream, from);
      if (next === null) return;
      messages = [next];
    }
    for (const message of messages) {
      cursor = message.seq;
      if (cursor > range.upTo) return;
      yield message;
    }
  }
}
