import { setTimeout as sleep } from 'node:timers/promises';
import { DbError } from '../db-error.ts';
import { ReplicaError, type Replica } from '../../replica/replica.ts';
import { EffectWriter } from '../store/effects.ts';
import { silentNote } from './silent.ts';

export interface IntakeLogOptions {
  readonly replica: Pick<Replica, 'leading' | 'term' | 'propose' | 'readBarrier'>;
  /** Told how many bytes were written to the log. */
  readonly onWritten?: ((bytes: number) => void) | undefined;
}

/**
 * While the log is away copying waits for it for so long, milliseconds, before it begins again: longer than JetStream
 * takes to choose a new leader (4 to 9 s), shorter than a snapshot waits for its reader (20 s).
 */
const patienceMs = 15_000;
const retryMs = { first: 25, longest: 1_000 } as const;

/** The log of a shard that takes keys over: what is written to it, one operation after the other. */
export class IntakeLog {
  /** Collects the effects of the next operation. */
  readonly writer = new EffectWriter();
  readonly #options: IntakeLogOptions;
  /** The outcome of a proposal is not known: what the store shows may not be all. */
  #unsure = true;

  constructor(options: IntakeLogOptions) {
    this.#options = options;
  }

  /**
   * The term in which this member leads. What earlier proposals became is in the store afterwards, and what was written
   * and not proposed is gone. @throws DbError TRYAGAIN it does not lead
   */
  async prove(): Promise<number> {
    const { replica } = this.#options;
    const { term } = replica;
    if (!this.#leads(term)) throw new DbError('TRYAGAIN', 'this member does not lead');
    this.#taken();
    if (this.#unsure) await replica.readBarrier();
    this.#unsure = false;
    return term;
  }

  /** Proposes what was written. Only in the term in which it was derived: another primary may have gone on since. */
  propose(term: number): Promise<void> {
    return this.#write(this.#taken(), term);
  }

  /** As {@link propose}, of what may be in the log twice: a failure that passes does not end the copying. */
  async insist(term: number): Promise<void> {
    const operation = this.#taken();
    const deadline = performance.now() + patienceMs;
    for (let waitMs: number = retryMs.first; ; waitMs = Math.min(2 * waitMs, retryMs.longest)) {
      try {
        return await this.#write(operation, term);
      } catch (error) {
        if (!mayPass(error) || performance.now() > deadline) throw error;
      }
      await sleep(waitMs * (0.75 + Math.random() / 2));
    }
  }

  /** The operation that was written. Every one begins with the note that it changes nothing that clients could see. */
  #taken(): Buffer {
    const operation = this.writer.take();
    this.writer.note(silentNote, Buffer.alloc(0));
    return operation;
  }

  #leads(term: number): boolean {
    return this.#options.replica.leading && this.#options.replica.term === term;
  }

  async #write(operation: Buffer, term: number): Promise<void> {
    if (!this.#leads(term)) throw new DbError('TRYAGAIN', 'this member leads no more');
    try {
      await this.#options.replica.propose(operation);
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
    this.#options.onWritten?.(operation.length);
  }
}

const mayPass = (error: unknown): boolean =>
  error instanceof ReplicaError && (error.code === 'overloaded' || error.code === 'unknown-outcome');
