import { commandOf, rangeEpochOf } from '../batch/epoch.ts';
import { answerStatus, AnswerBuilder } from '../batch/answer-batch.ts';
import { decodeRequests, requestKind, type BatchedRequest } from '../batch/request-batch.ts';
import { CommandTable, memberCommands, type DataCommand } from '../commands/table.ts';
import { DbError, errorLine } from '../db-error.ts';
import { Frame, readTrusted } from '../resp/frame.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import type { ReadState } from '../store/reading.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { committedView } from './committed-view.ts';
import { claimsOfCommand } from './claims.ts';
import { isInRange } from './gate.ts';
import type { Requester } from './requester.ts';
import { readCommands, stateReads } from './state-reads.ts';

const headerBytes = 8;
const texts = { moved: Buffer.from('the range of this shard is another one') };

/** Payload of a stale read. `at`: sequence of the state to read; 0 = the newest that the member has. */
export const encodeStale = (at: number, command: Buffer): Buffer => {
  const bytes = Buffer.allocUnsafe(headerBytes + command.length);
  command.copy(bytes, bytes.writeDoubleBE(at, 0));
  return bytes;
};

/** Whether a batch holds stale reads: gateways do not mix them with others. */
export const isStale = (batch: Buffer): boolean => batch.length > 8 && ((batch[8] ?? 0) & requestKind.stale) !== 0;

/**
 * Reads on any member, whoever leads: of the newest state that it has, or of the one at a sequence. Every answer carries
 * the sequence of the state; how old that may be is for the asker to judge.
 */
export class StaleReader {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #commands = new CommandTable<DataCommand>([...memberCommands().all, ...readCommands]);
  readonly #reply = new ReplyWriter(16 * 1024);
  readonly #frame = new Frame();

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  handle(from: Requester, batch: Buffer): void {
    const bySequence = new Map<number, AnswerBuilder>();
    for (const request of decodeRequests(batch)) {
      const { sequence, moved } = this.#answer(request);
      const answers = bySequence.get(sequence) ?? new AnswerBuilder();
      bySequence.set(sequence, answers);
      if (moved) answers.add(request.id, answerStatus.moved, texts.moved);
      else answers.reply(request.id, false, this.#reply.view());
    }
    for (const [sequence, answers] of bySequence) for (const message of answers.messages(sequence)) from.send(message);
  }

  /** Writes the reply, unless what is asked for is another shard's; answers the sequence that it reflects. */
  #answer({ kind, payload }: BatchedRequest): { sequence: number; moved: boolean } {
    const at = payload.readDoubleBE(0);
    const sequence = at === 0 ? (this.#store.position?.seq ?? 0) : at;
    this.#reply.protocol = (kind & requestKind.resp3) === 0 ? 2 : 3;
    this.#reply.length = 0;
    try {
      const asked = { kind, payload: payload.subarray(headerBytes) };
      const command = commandOf(asked);
      const claims = claimsOfCommand(command, this.#commands);
      if (!isInRange(claims, this.#store.keyRange, rangeEpochOf(asked))) return { sequence, moved: true };
      readTrusted(this.#frame, command, 0);
      if (at === 0) this.#read(this.#store, this.#now());
      else {
        const state = this.#store.at(at);
        this.#read(state, state.time);
      }
    } catch (error) {
      this.#reply.length = 0;
      this.#reply.error(error instanceof StoreError ? storeErrorLine(error) : errorLine(error));
    }
    return { sequence, moved: false };
  }

  #read(state: ReadState, now: number): void {
    const frame = this.#frame;
    const read = stateReads.get(frame.word(0));
    if (read) {
      const rows = { get: state.get.bind(state), rows: state.rows.bind(state), own: this.#store.own.bind(this.#store) };
      return read(rows, frame, this.#reply, now);
    }
    const command = this.#commands.find(frame);
    if (command?.kind !== 'keys' || !command.flags.includes('readonly')) {
      throw new DbError('ERR', 'only commands that read keys may be answered by any member');
    }
    command.evaluate(committedView(state, now), frame, this.#reply);
  }
}

const storeErrorLine = ({ code, message }: StoreError): string =>
  `${code === 'too-old' ? 'COMPACTED' : 'STALE'} ${message}`;
