import type { WatchedKey } from '../batch/request-batch.ts';
import type { CommandTable, DataCommand } from '../commands/table.ts';
import { errorLine } from '../db-error.ts';
import { Frame, readTrusted } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Removals } from './removals.ts';
import type { Speculation } from './speculation.ts';

/** A transaction as a gateway sends it. */
export interface Transaction {
  readonly payload: Buffer;
  readonly watched: readonly WatchedKey[];
  readonly commandsAt: number;
}

interface Surroundings {
  readonly state: Speculation;
  readonly removals: Removals;
  readonly commands: CommandTable<DataCommand>;
  readonly reply: ReplyWriter;
}

/**
 * Whether a watched key is as it was. A version above 0 is that of an existing key, and a key with an uncommitted
 * change has none that could match. 0: it must not exist. Below: nor have existed since that stamp of this primary.
 */
const isUnchanged = ({ key, version }: WatchedKey, { state, removals }: Surroundings): boolean => {
  const row = state.get(key);
  if (version > 0) return row?.version === version;
  return row === undefined && (version === 0 || removals.unchangedSince(key, -version));
};

const split = (payload: Buffer, start: number): number[] => {
  const frame = new Frame();
  const starts: number[] = [];
  for (let at = start; at < payload.length; at = readTrusted(frame, payload, at)) starts.push(at);
  return starts;
};

/**
 * Carries out a transaction: all of its commands, in order, with nothing between them, or none when a watched key has
 * changed; answers which. As in Redis a command that fails does not undo the others; its error is its reply.
 * @throws DbError when it would write more than fits into one entry; the caller rolls back
 */
export const evaluateTransaction = (transaction: Transaction, surroundings: Surroundings): boolean => {
  const { state, commands, reply } = surroundings;
  if (!transaction.watched.every((watched) => isUnchanged(watched, surroundings))) {
    reply.nilArray();
    return false;
  }
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
  return true;
};
