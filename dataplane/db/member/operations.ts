import { answerStatus, AnswerBuilder } from '../batch/answer-batch.ts';
import { encodeError } from '../resp/reply-writer.ts';
import { ReplicaError, type Replica, type ReplicaErrorCode } from '../../replica/replica.ts';
import type { Requester } from './requester.ts';
import type { SealedOperation, Speculation } from './speculation.ts';

type Proposer = Pick<Replica, 'refusal' | 'propose'>;

/** Replies that wait for the outcome of one operation, by who asked. */
type Waiting = Map<Requester, AnswerBuilder>;

const unknownText = Buffer.from('the outcome is not known: the command may or may not have been executed');

/** How a request that writes is answered when its operation failed. */
const writeFailures: Readonly<Record<ReplicaErrorCode, { status: number; bytes: Buffer }>> = {
  'not-primary': { status: answerStatus.refused, bytes: Buffer.from('the member leads no more') },
  overloaded: { status: answerStatus.refused, bytes: Buffer.from('too much waits for the log') },
  'unknown-outcome': { status: answerStatus.unknown, bytes: unknownText },
  'log-full': { status: answerStatus.reply, bytes: encodeError("OOM the shard's log is full; not executed") },
  'too-large': {
    status: answerStatus.reply,
    bytes: encodeError('ERR the write does not fit into one log entry; not executed'),
  },
};
const readFailure = { status: answerStatus.refused, bytes: Buffer.from('what it had read was not committed') };

/** Operations that were proposed and are not final yet, and the replies that hang on each. */
export class OperationsInFlight {
  readonly #replica: Proposer;
  readonly #state: Speculation;
  /** An operation was not, or not surely, carried out: what was derived from it is to be derived anew. */
  readonly #onFailure: () => void;
  /** Nothing is in flight any more. */
  readonly #onIdle: () => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ends = new Map<number, Promise<void>>();

  constructor(replica: Proposer, state: Speculation, on: { readonly failure: () => void; readonly idle: () => void }) {
    this.#replica = replica;
    this.#state = state;
    this.#onFailure = on.failure;
    this.#onIdle = on.idle;
  }

  get size(): number {
    return this.#ends.size;
  }

  /** Where replies go that may leave once the operation is committed. */
  answers(operation: number, to: Requester): AnswerBuilder {
    let waiting = this.#waiting.get(operation);
    if (!waiting) {
      waiting = new Map();
      this.#waiting.set(operation, waiting);
    }
    let builder = waiting.get(to);
    if (!builder) {
      builder = new AnswerBuilder();
      waiting.set(to, builder);
    }
    return builder;
  }

  /** Proposes the open operation. */
  propose(): void {
    const number = this.#state.open;
    const refusal = this.#replica.refusal(this.#state.openBytes);
    if (refusal !== null) {
      this.#state.discard();
      this.#fail(number, refusal);
      this.#onFailure();
      return;
    }
    const operation = this.#state.seal();
    const end = this.#replica.propose(operation.bytes).then(
      (sequence) => this.#commit(operation, sequence),
      (error: unknown) => this.#failed(operation, error),
    );
    this.#ends.set(number, end);
  }

  /** The open operation was dropped: nobody will propose it. */
  abandonOpen(): void {
    for (const number of this.#waiting.keys()) if (!this.#ends.has(number)) this.#fail(number, 'not-primary');
  }

  /** Resolves when everything that is in flight now is final; `seal` first proposes what is open. */
  async afterAll(seal: () => void): Promise<void> {
    seal();
    await Promise.all(this.#ends.values());
  }

  #commit(operation: SealedOperation, sequence: number): void {
    this.#end(operation);
    for (const [to, answers] of this.#take(operation.number)) {
      for (const message of answers.messages(sequence)) to.send(message);
    }
    if (this.#ends.size === 0) this.#onIdle();
  }

  #failed(operation: SealedOperation, error: unknown): void {
    this.#end(operation);
    this.#fail(operation.number, error instanceof ReplicaError ? error.code : 'unknown-outcome');
    this.#onFailure();
    if (this.#ends.size === 0) this.#onIdle();
  }

  #end(operation: SealedOperation): void {
    this.#state.settle(operation);
    this.#ends.delete(operation.number);
  }

  #take(number: number): Waiting {
    const waiting = this.#waiting.get(number) ?? new Map<Requester, AnswerBuilder>();
    this.#waiting.delete(number);
    return waiting;
  }

  #fail(number: number, code: ReplicaErrorCode): void {
    for (const [to, answers] of this.#take(number)) {
      const failures = new AnswerBuilder();
      to.refusedEpoch = Math.max(to.refusedEpoch, to.epoch);
      for (const [i, id] of answers.ids.entries()) {
        const { status, bytes } = answers.wrote[i] ? writeFailures[code] : readFailure;
        failures.add(id, status, bytes);
      }
      for (const message of failures.messages(0)) to.send(message);
    }
  }
}
