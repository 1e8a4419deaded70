import { isEmptyRange } from '../../../contract/key-range.ts';
import { answerStatus, AnswerBuilder } from '../batch/answer-batch.ts';
import { commandOf } from '../batch/epoch.ts';
import { decodeRequests, epochOf, requestKind, type BatchedRequest } from '../batch/request-batch.ts';
import type { ShardCommand } from '../commands/command.ts';
import { errorLine } from '../db-error.ts';
import { fullOperationBytes, maxOperationBytes, worthAnotherEntryBytes } from '../limits.ts';
import { Frame, readTrusted } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Store } from '../store/store.ts';
import { isOrdered } from '../two-phase/step.ts';
import { Evaluator } from './evaluator.ts';
import { encodeRange, everything, rangeNote, type KeyRange } from '../store/key-range.ts';
import type { Gate } from './gate.ts';
import { OperationsInFlight } from './operations.ts';
import { maxParkedMs, Parked, type ParkedRequest } from './parked.ts';
import { Removals } from './removals.ts';
import type { Requester } from './requester.ts';
import { Speculation } from './speculation.ts';
import { isStale, StaleReader } from './stale-reader.ts';

type Reader = Pick<Replica, 'leading' | 'mayRead' | 'applied' | 'refusal' | 'propose' | 'readBarrier'>;

export interface ExecutorOptions {
  readonly store: Store;
  readonly replica: Reader;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** The range that the directory gives to the shard, for a log that does not say yet; null: not known. Left out: all keys. */
  readonly initialRange?: () => KeyRange | null;
}

interface WaitingBatch {
  readonly from: Requester;
  readonly batch: Buffer;
}

/** What {@link Executor.inOrder} works on. */
export interface InOrder {
  readonly state: Speculation;
  readonly gate: Gate;
  /** Milliseconds. */
  readonly now: number;
  /** In which this member leads. */
  readonly term: number;
}

/** What the requests of one batch share. */
interface Turn {
  readonly now: number;
  readonly epoch: number;
  readonly answers: AnswerBuilder;
}

/** Expired keys that one pass removes. */
const expiryPass = 500;
const texts = {
  notPrimary: Buffer.from('this member does not lead'),
  order: Buffer.from('an earlier request was refused'),
  locked: Buffer.from('a transaction over several shards holds the key'),
  moved: Buffer.from('the range of this shard is another one'),
  storeFailed: Buffer.from('the store of this member failed'),
};

/**
 * Carries out requests on a primary. Within one call everything is synchronous: requests are evaluated one after
 * another, in their order, against the speculative state; what they change is proposed once a turn as one operation;
 * what they reply leaves when it is final. A request that meets a lock waits, and so does all that its gateway sent
 * after it.
 */
export class Executor {
  /** Requests that were carried out, or refused, since the start. */
  requests = 0;
  readonly #store: Store;
  readonly #replica: Reader;
  readonly #options: ExecutorOptions;
  readonly #removals = new Removals();
  readonly #state: Speculation;
  readonly #evaluator: Evaluator;
  readonly #operations: OperationsInFlight;
  readonly #parked = new Parked();
  readonly #stale: StaleReader;
  /** Batches that wait for a proof that reads are current; later ones queue behind them. */
  #waiting: WaitingBatch[] = [];
  #sealing = false;
  #releasing = false;
  #rangeIsNoted = true;
  #term = 0;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#replica = options.replica;
    this.#state = new Speculation(options.store, this.#removals);
    this.#evaluator = new Evaluator(this.#state, this.#removals, () => this.#release());
    this.#operations = new OperationsInFlight(options.replica, this.#state, {
      failure: () => this.#restore(),
      idle: () => this.#sealSoon(),
    });
    this.#stale = new StaleReader(options.store, () => this.#now());
    this.#evaluator.gate.range = options.initialRange ? null : everything;
  }

  /** Requests that wait, operations in flight, keys that transactions hold, and requests that wait for those. */
  get load(): { waiting: number; inFlight: number; locked: number; parked: number } {
    const { size: locked } = this.#evaluator.gate.locks;
    return { waiting: this.#waiting.length, inFlight: this.#operations.size, locked, parked: this.#parked.size };
  }

  /** The keys that this shard serves; null: not known yet. */
  get range(): KeyRange | null {
    return this.#evaluator.gate.range;
  }

  /** Takes a batch of requests. Every one of them is answered, sooner or later, or the leadership ends. */
  handle(from: Requester, batch: Buffer): void {
    if (isStale(batch)) return this.#stale.handle(from, batch);
    if (epochOf(batch) <= from.refusedEpoch) return refuseAll(from, batch, texts.order);
    if (!this.#replica.leading) return refuseAll(from, batch, texts.notPrimary);
    if (this.#waiting.length === 0 && this.#replica.mayRead()) return this.#run(from, batch);
    this.#waiting.push({ from, batch });
    if (this.#waiting.length === 1) void this.#proveAndRun();
  }

  /** Leads from now on: locks, and the range, are as the log says. */
  lead(term: number): void {
    this.#term = term;
    this.#removals.begin(term + (this.#store.keyRange?.terms ?? 0));
    this.#restore();
  }

  /** Leads no more: what is speculative is dropped; requests in flight are answered as their operations end. */
  follow(): void {
    this.#state.reset();
    this.#operations.abandonOpen();
    for (const [from, requests] of this.#parked.take()) {
      for (const request of requests) this.#refuse(from, request, texts.notPrimary);
    }
    this.#evaluator.gate.goOn();
  }

  /**
   * Carries something out between two requests, on the state that they see. Resolves when all that is in flight then is
   * final: what became of a change is to be read from the store.
   */
  async inOrder(act: (turn: InOrder) => void): Promise<void> {
    const now = this.#now();
    this.#state.begin(now);
    act({ state: this.#state, gate: this.#evaluator.gate, now, term: this.#term });
    this.#release();
    await this.#operations.afterAll(() => this.#seal());
  }

  /** A number for a collection that comes from elsewhere: none of this shard has or had it. */
  newGeneration(): number {
    return this.#state.newGeneration();
  }

  /** The log has, perhaps, another range for this shard: it is served from now on. */
  takeRange(): void {
    const [served, noted] = [this.range, this.#store.keyRange];
    if (!this.#replica.leading || noted === null) return;
    if (served?.epoch !== noted.epoch || served.start !== noted.start || served.end !== noted.end)
      this.lead(this.#term);
  }

  /** Removes keys whose time has come, through the log. Answers whether there may be more. */
  expire(): boolean {
    // No lease is asked for: removals go through the log, which refuses them from a deposed primary, and asking would
    // keep the lease of an idle primary alive, an entry every second or so.
    if (!this.#replica.leading || isEmptyRange(this.#store.keyRange ?? everything)) return false;
    const now = this.#now();
    // Other keys may be here as copies: whose they are may yet make them stay.
    const due = this.#store.file.due(now, expiryPass, this.#store.keyRange ?? everything);
    this.#state.begin(now);
    const { locks } = this.#evaluator.gate;
    // A prepared transaction has seen the key, and may yet make it stay.
    for (const { key, at } of due) if (!locks.has(key)) this.#state.removeExpired(key, at);
    if (!this.#state.openIsEmpty) this.#sealSoon();
    return due.length === expiryPass;
  }

  /** Looks at the time: refuses what has waited for a lock for too long, and what the range was not known for. */
  tick(): void {
    if (!this.#rangeIsNoted) this.#noteRange();
    if (this.#parked.size > 0) this.#goOn();
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
      else refuseAll(from, batch, failure ?? texts.order);
    }
  }

  /** Never behind the log: a clock that went back must not bring expired keys to life. */
  #now(): number {
    return Math.max(this.#options.now(), this.#store.position?.time ?? 0, this.#store.keyRange?.time ?? 0);
  }

  #run(from: Requester, batch: Buffer): void {
    const turn = { now: this.#now(), epoch: epochOf(batch), answers: new AnswerBuilder() };
    from.epoch = turn.epoch;
    if (!this.#rangeIsNoted) this.#noteRange();
    for (const request of decodeRequests(batch)) {
      if (this.#parked.has(from) && waitsItsTurn(request))
        this.#park(from, request, { turn, since: performance.now() });
      else this.#one(from, request, turn);
    }
    for (const message of turn.answers.messages(this.#replica.applied)) from.send(message);
  }

  #one(from: Requester, request: BatchedRequest, turn: Turn, since = 0): void {
    this.requests++;
    const refusal = from.refusedEpoch >= turn.epoch ? texts.order : this.#makeRoom(this.#evaluator.weight(request));
    if (refusal !== null) return this.#refuse(from, { ...request, epoch: turn.epoch }, refusal);
    const verdict = this.#evaluator.evaluate(request, turn.now);
    if (verdict === 'replied') return this.#replied(from, request, turn);
    if (verdict === 'moved')
      return this.#refuse(from, { ...request, epoch: turn.epoch }, texts.moved, answerStatus.moved);
    if (verdict === 'wait') return this.#park(from, request, { turn, since: since === 0 ? performance.now() : since });
    this.#readLater(from, request, verdict);
  }

  #replied(from: Requester, request: BatchedRequest, turn: Turn): void {
    const { dependsOn, changed, open } = this.#state;
    const operation = changed ? open : dependsOn;
    const answers = operation === 0 ? turn.answers : this.#operations.answers(operation, from);
    answers.reply(request.id, changed, this.#evaluator.reply.view());
    if (operation === open) this.#sealSoon();
  }

  /** Proposes the open operation when the next request might not fit. The reason to refuse the request, or null. */
  #makeRoom(bytes: number): Buffer | null {
    const { openBytes } = this.#state;
    if (openBytes > fullOperationBytes || openBytes + 2 * bytes > maxOperationBytes) this.#seal();
    const code = this.#replica.refusal(this.#state.openBytes + bytes);
    return code === null || code === 'too-large' ? null : Buffer.from(`refused: ${code}`);
  }

  /** Surely not executed, and nothing after it in this epoch will be. */
  #refuse(
    from: Requester,
    request: { id: number; epoch: number },
    why: Buffer,
    status: number = answerStatus.refused,
  ): void {
    from.refusedEpoch = Math.max(from.refusedEpoch, request.epoch);
    const answers = new AnswerBuilder();
    answers.add(request.id, status, why);
    for (const message of answers.messages(this.#replica.applied)) from.send(message);
  }

  #park(from: Requester, request: BatchedRequest, { turn, since }: { turn: Turn; since: number }): void {
    const { id, kind } = request;
    const all = !this.#parked.has(from) && this.#evaluator.claims(request).all;
    if (all) this.#evaluator.gate.waitingForAll++;
    // The batch that it came in may be large.
    this.#parked.add(from, { id, kind, payload: Buffer.from(request.payload), epoch: turn.epoch, since, all });
  }

  /** Locks were released: what waits goes on after this turn. */
  #release(): void {
    if (this.#releasing || this.#parked.size === 0) return;
    this.#releasing = true;
    queueMicrotask(() => {
      this.#releasing = false;
      this.#goOn();
    });
  }

  #goOn(): void {
    for (const [from, requests] of this.#parked.take()) {
      const answers = new AnswerBuilder();
      for (const request of requests) this.#continue(from, request, answers);
      for (const message of answers.messages(this.#replica.applied)) from.send(message);
    }
  }

  #continue(from: Requester, request: ParkedRequest, answers: AnswerBuilder): void {
    if (request.all) this.#evaluator.gate.waitingForAll--;
    const turn = { now: this.#now(), epoch: request.epoch, answers };
    if (!this.#replica.leading) this.#refuse(from, request, texts.notPrimary);
    else if (performance.now() - request.since > maxParkedMs) this.#refuse(from, request, texts.locked);
    else if (this.#parked.has(from)) this.#park(from, request, { turn, since: request.since });
    else this.#one(from, request, turn, request.since);
  }

  /** An operation failed, or another one leads: locks and range are what the notes say. */
  #restore(): void {
    const initial = this.#options.initialRange;
    const unknown = this.#evaluator.restore(initial ? initial() : everything);
    this.#rangeIsNoted = !unknown || initial === undefined;
    this.#release();
  }

  /** Writes the range that the directory gives to the log: from then on it is the log that says. */
  #noteRange(): void {
    if (!this.#replica.leading || this.#replica.refusal(encodeRange(everything).length) !== null) return;
    const range = this.#options.initialRange?.() ?? null;
    if (range === null) return;
    this.#state.begin(this.#now());
    this.#state.setNote(rangeNote, encodeRange(range));
    this.#evaluator.gate.range = range;
    this.#rangeIsNoted = true;
    this.#sealSoon();
  }

  /** Reads of the whole shard see what is committed, once all that is in flight now is. */
  #readLater(from: Requester, { id, kind, payload }: BatchedRequest, command: ShardCommand): void {
    // The batch that it came in may be large.
    const request = { id, kind, payload: Buffer.from(payload), epoch: from.epoch };
    void this.#operations
      .afterAll(() => this.#seal())
      .then(() => (command.source === 'file' ? this.#store.flush() : undefined))
      .then(
        () => this.#readNow(from, request, (frame, reply) => command.read(this.#store, frame, reply, this.#now())),
        // The store failed, and with it this member: another one will answer.
        () => this.#refuse(from, request, texts.storeFailed),
      );
  }

  /** Within one turn: the reply is written where all replies are. */
  #readNow(
    from: Requester,
    request: BatchedRequest & { readonly epoch: number },
    read: (frame: Frame, reply: ReplyWriter) => void,
  ): void {
    // Keys may have been handed over while it waited.
    if (!this.#evaluator.isInRange(request, this.#store.keyRange ?? this.range)) {
      return this.#refuse(from, request, texts.moved, answerStatus.moved);
    }
    const { reply } = this.#evaluator;
    reply.protocol = (request.kind & requestKind.resp3) === 0 ? 2 : 3;
    reply.length = 0;
    const frame = new Frame();
    try {
      readTrusted(frame, commandOf(request), 0);
      read(frame, reply);
    } catch (error) {
      reply.length = 0;
      reply.error(errorLine(error));
    }
    const answers = new AnswerBuilder();
    answers.reply(request.id, false, reply.view());
    for (const message of answers.messages(this.#replica.applied)) from.send(message);
  }

  /**
   * While an operation is in flight the next one collects what comes: the log takes one entry at a time unless much waits,
   * so one operation and one message of answers do instead of many.
   */
  #sealSoon(): void {
    if (this.#sealing || (this.#operations.size > 0 && this.#state.openBytes < worthAnotherEntryBytes)) return;
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

/** Decisions about transactions do not wait behind requests that wait for these decisions. */
const waitsItsTurn = ({ kind, payload }: BatchedRequest): boolean =>
  (kind & requestKind.step) === 0 || isOrdered(payload);

/** Answers every request of a batch that it surely was not executed. */
const refuseAll = (from: Requester, batch: Buffer, why: Buffer): void => {
  from.refusedEpoch = Math.max(from.refusedEpoch, epochOf(batch));
  const answers = new AnswerBuilder();
  for (const request of decodeRequests(batch)) answers.add(request.id, answerStatus.refused, why);
  for (const message of answers.messages(0)) from.send(message);
};
