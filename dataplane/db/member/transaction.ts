import type { WatchedKey } from '../batch/request-batch.ts';
import type { CommandTable, DataCommand } from '../commands/table.ts';
import { errorLine } from '../db-error.ts';
import { Frame, readTrusted } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Speculation } from './speculation.ts';

/** A transaction as a gateway sends it. */
export interface Transaction {
  readonly payload: Buffer;
  readonly watched: readonly WatchedKey[];
  readonly commandsAt: number;
}

interface Surroundings {
  readonly state: Speculation;
  readonly commands: CommandTable<DataCommand>;
  readonly reply: ReplyWriter;
}

/** Whether each watched key still has its version. A key with an uncommitted change has none that could match. */
const unchanged = (state: Speculation, watched: readonly WatchedKey[]): boolean =>
  watched.every(({ key, version }) => (state.get(key)?.version ?? 0) === version);

const split = (payload: Buffer, start: number): number[] => {
  const frame = new Frame();
  const starts: number[] = [];
  for (let at = start; at < payload.length; at = readTrusted(frame, payload, at)) starts.push(at);
  return starts;
};

/**
 * Carries out a transaction: all of its commands, in order, with nothing between them, or none when a watched key has
 * changed. As in Redis a command that fails does not undo the others; its error is its reply.
 * @throws DbError when it would write more than fits into one entry; the caller rolls back
 */
export const evaluateTransaction = (transaction: Transaction, { state, commands, reply }: Surroundings): void => {
  if (!unchanged(state, transaction.watched)) return reply.nilArray();
  const frame = new Frame();
  const starts = split(transaction.payload, transaction.commandsAt);
  reply.array(starts.length);
  for (const start of starts) {
    readTrusted(frame, transaction.payload, start);
    const command = commands.find(frame);
    const before = reply.length;
    try {
      if (command?.kind !== 'keys') throw new Error('not a command of transactions');
      command.evaluate(state, frame, reply);
    } catch (error) {
      if (state.full) throw error;
      reply.length = before;
      reply.error(errorLine(error));
    }
  }
};
