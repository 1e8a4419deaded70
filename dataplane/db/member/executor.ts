import { answerStatus, AnswerBuilder } from '../batch/answer-batch.ts';
import { decodeRequests, decodeWatched, epochOf, requestKind, type BatchedRequest } from '../batch/request-batch.ts';
import type { KeyCommand, ShardCommand } from '../commands/command.ts';
import { memberCommands } from '../commands/table.ts';
import { DbError, errorLine } from '../db-error.ts';
import { fullOperationBytes, maxOperationBytes } from '../limits.ts';
import { Frame, readTrusted } from '../resp/frame.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Store } from '../store/store.ts';
import { OperationsInFlight } from './operations.ts';
import type { Requester } from './requester.ts';
import { Speculation } from './speculation.ts';
import { evaluateTransaction } from './transaction.ts';

type Reader = Pick<Replica, 'leading' | 'mayRead' | 'applied' | 'refusal' | 'propose' | 'readBarrier'>;

export interface ExecutorOptions {
  readonly store: Store;
  readonly replica: Reader;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

interface WaitingBatch {
  readonly from: Requester;
  readonly batch: Buffer;
}

/** Expired keys that one pass removes. */
const expiryPass = 500;
const refusedText = {
  notPrimary: Buffer.from('this member does not lead'),
  order: Buffer.from('an earlier request was refused'),
};

/**
 * Carries out requests on a primary. Within one call everything is synchronous: requests are evaluated one after
 * another, in their order, against the speculative state; what they change is proposed once a turn as one operation;
 * what they reply leaves when it is final.
 */
export class Executor {
  readonly #store: Store;
  readonly #replica: Reader;
  readonly #options: ExecutorOptions;
  readonly #commands = memberCommands();
  readonly #state: Speculation;
  readonly #operations: OperationsInFlight;
  readonly #frame = new Frame();
  readonly #reply = new ReplyWriter(64 * 1024);
  /** Batches that wait for a proof that reads are current; later ones queue behind them. */
  #waiting: WaitingBatch[] = [];
  #sealing = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#replica = options.replica;
    this.#state = new Speculation(options.store);
    this.#operations = new OperationsInFlight(options.replica, this.#state);
  }

  /** Requests that wait, and operations in flight. */
  get load(): { waiting: number; inFlight: number } {
    return { waiting: this.#waiting.length, inFlight: this.#operations.size };
  }

  /** Takes a batch of requests. Every one of them is answered, sooner or later, or the leadership ends. */
  handle(from: Requester, batch: Buffer): void {
    if (epochOf(batch) <= from.refusedEpoch) return refuseAll(from, batch, refusedText.order);
    if (!this.#replica.leading) return refuseAll(from, batch, refusedText.notPrimary);
    if (this.#waiting.length === 0 && this.#replica.mayRead()) return this.#run(from, batch);
    this.#waiting.push({ from, batch });
    if (this.#waiting.length === 1) void this.#proveAndRun();
  }

  /** Leads no more: what is speculative is dropped; requests in flight are answered as their operations end. */
  follow(): void {
    this.#state.reset();
    this.#operations.abandonOpen();
  }

  /** Removes keys whose time has come, through the log. Answers whether there may be more. */
  expire(): boolean {
    // No lease is asked for: removals go through the log, which refuses them from a deposed primary, and asking would
    // keep the lease of an idle primary alive, an entry every second or so.
    if (!this.#replica.leading) return false;
    const now = this.#now();
    const due = this.#store.file.due(now, expiryPass);
    this.#state.begin(now, false);
    for (const { key, at } of due) this.#state.removeExpired(key, at);
    if (!this.#state.openIsEmpty) this.#sealSoon();
    return due.length === expiryPass;
  }

  async #proveAndRun(): Promise<void> {
    let failure: Buffer | null = null;
    try {
      await this.#replica.readBarrier();
    } catch (error) {
      failure = Buffer.from(String(error));
    }
    const ready = this.#waiting;
    this.#waiting = [];
    for (const { from, batch } of ready) {
      if (failure === null && epochOf(batch) > from.refusedEpoch) this.#run(from, batch);
      else refuseAll(from, batch, failure ?? refusedText.order);
    }
  }

  /** Never behind the log: a clock that went back must not bring expired keys to life. */
  #now(): number {
    return Math.max(this.#options.now(), this.#store.position?.time ?? 0);
  }

  #run(from: Requester, batch: Buffer): void {
    const now = this.#now();
    const answers = new AnswerBuilder();
    from.epoch = epochOf(batch);
    for (const request of decodeRequests(batch)) this.#one(from, request, { now, answers });
    for (const message of answers.messages(this.#replica.applied)) from.send(message);
  }

  #one(from: Requester, request: BatchedRequest, turn: { now: number; answers: AnswerBuilder }): void {
    const refusal = from.refusedEpoch >= from.epoch ? refusedText.order : this.#makeRoom(request.payload.length);
    if (refusal !== null) {
      from.refusedEpoch = from.epoch;
      turn.answers.add(request.id, answerStatus.refused, refusal);
      return;
    }
    this.#reply.protocol = (request.kind & requestKind.resp3) === 0 ? 2 : 3;
    this.#reply.length = 0;
    this.#state.begin(turn.now, (request.kind & requestKind.transaction) !== 0);
    const later = this.#evaluate(request);
    if (later !== null) return this.#readLater(from, request, later);
    const { dependsOn, changed, open } = this.#state;
    const operation = changed ? open : dependsOn;
    const answers = operation === 0 ? turn.answers : this.#operations.answers(operation, from);
    answers.reply(request.id, changed, this.#reply.view());
    if (operation === open) this.#sealSoon();
  }

  /** Proposes the open operation when the next request might not fit. The reason to refuse the request, or null. */
  #makeRoom(bytes: number): Buffer | null {
    const { openBytes } = this.#state;
    if (openBytes > fullOperationBytes || openBytes + 2 * bytes > maxOperationBytes) this.#seal();
    const code = this.#replica.refusal(this.#state.openBytes + bytes);
    return code === null || code === 'too-large' ? null : Buffer.from(`refused: ${code}`);
  }

  /** Evaluates a request into `#reply`; a read of the whole shard is given back for later. */
  #evaluate(request: BatchedRequest): ShardCommand | null {
    try {
      if ((request.kind & requestKind.transaction) !== 0) {
        this.#transaction(request.payload);
        return null;
      }
      readTrusted(this.#frame, request.payload, 0);
      const command = this.#commands.find(this.#frame);
      if (command?.kind === 'shard') return command;
      this.#keyCommand(command);
    } catch (error) {
      this.#reply.length = 0;
      this.#reply.error(errorLine(error));
    }
    return null;
  }

  #keyCommand(command: KeyCommand | undefined): void {
    if (!command) throw new DbError('ERR', 'this member does not know the command');
    command.evaluate(this.#state, this.#frame, this.#reply);
  }

  #transaction(payload: Buffer): void {
    try {
      evaluateTransaction(
        { payload, ...decodeWatched(payload) },
        { state: this.#state, commands: this.#commands, reply: this.#reply },
      );
    } catch (error) {
      this.#state.rollback();
      throw error;
    }
  }

  /** Reads of the whole shard see what is committed, once all that is in flight now is. */
  #readLater(from: Requester, request: BatchedRequest, command: ShardCommand): void {
    const payload = Buffer.from(request.payload);
    void this.#operations
      .afterAll(() => this.#seal())
      .then(() => (command.source === 'file' ? this.#store.flush() : undefined))
      .then(() => {
        const frame = new Frame();
        readTrusted(frame, payload, 0);
        this.#reply.protocol = (request.kind & requestKind.resp3) === 0 ? 2 : 3;
        this.#reply.length = 0;
        command.read(this.#store, frame, this.#reply, this.#now());
      })
      .catch((error: unknown) => {
        this.#reply.length = 0;
        this.#reply.error(errorLine(error));
      })
      .then(() => {
        const answers = new AnswerBuilder();
        answers.reply(request.id, false, this.#reply.view());
        for (const message of answers.messages(this.#replica.applied)) from.send(message);
      });
  }

  #sealSoon(): void {
    if (this.#sealing) return;
    this.#sealing = true;
    queueMicrotask(() => {
      this.#sealing = false;
      this.#seal();
    });
  }

  #seal(): void {
    if (!this.#state.openIsEmpty) this.#operations.propose();
  }
}

/** Answers every request of a batch that it surely was not executed. */
const refuseAll = (from: Requester, batch: Buffer, why: Buffer): void => {
  from.refusedEpoch = Math.max(from.refusedEpoch, epochOf(batch));
  const answers = new AnswerBuilder();
  for (const request of decodeRequests(batch)) answers.add(request.id, answerStatus.refused, why);
  for (const message of answers.messages(0)) from.send(message);
};
