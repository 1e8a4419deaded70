import type { Replica } from '../replica.ts';
import { ReplicaError } from '../replica-error.ts';
import type { ReplicaErrorCode } from '../replica-error.ts';
import type { StateMachine } from '../state-machine.ts';

/** A {@link Replica} without a log, for tests of state machines, with handles to change its role and to make it fail. */
export interface MemoryReplica extends Replica {
  /** Become primary with the next term (it starts as primary of term 1). */
  promote(): void;
  stepDown(): void;
  /** The next operation that is sequenced fails with this code; with `unknown-outcome` it is executed all the same. */
  failNext(code: ReplicaErrorCode): void;
  /** Operations wait, none is sequenced, until the returned function is called. */
  hold(): () => void;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

interface Waiting {
  readonly operation: Uint8Array;
  readonly resolve: (seq: number) => void;
  readonly reject: (error: ReplicaError) => void;
}

const maxOperationBytes = 4 * 1024 * 1024 - 1024;
const maxWaiting = 100_000;

class MemoryReplicaImplementation implements MemoryReplica {
  leading = false;
  term: number;
  applied: number;
  readonly #machine: StateMachine;
  readonly #now: () => number;
  readonly #listeners = new Set<(leading: boolean, term: number) => void>();
  #time: number;
  #held = 0;
  #failure: ReplicaErrorCode | null = null;
  #queue: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(machine: StateMachine, now: () => number) {
    const stored = machine.position();
    this.#machine = machine;
    this.#now = now;
    this.applied = stored?.seq ?? 0;
    this.term = stored?.term ?? 0;
    this.#time = stored?.time ?? 0;
  }

  wall(): number {
    return this.#now();
  }

  mayRead(): boolean {
    return this.leading;
  }

  refusal(bytes: number): ReplicaErrorCode | null {
    if (!this.leading) return 'not-primary';
    if (bytes > maxOperationBytes) return 'too-large';
    return this.#queue.length >= maxWaiting ? 'overloaded' : null;
  }

  propose(operation: Uint8Array): Promise<number> {
    const code = this.refusal(operation.length);
    if (code !== null) return Promise.reject(new ReplicaError(code, 'refused'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ operation, resolve, reject });
      this.#wake();
    });
  }

  readBarrier(): Promise<void> {
    return this.leading ? Promise.resolve() : Promise.reject(new ReplicaError('not-primary', 'this replica follows'));
  }

  onRole(listener: (leading: boolean, term: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  promote(): void {
    this.term += 1;
    this.leading = true;
    this.#machine.lead(this.term);
    this.#tell();
  }

  stepDown(): void {
    this.leading = false;
    this.#failAll('not-primary');
    this.#machine.follow();
    this.#tell();
  }

  failNext(code: ReplicaErrorCode): void {
    this.#failure = code;
  }

  hold(): () => void {
    this.#held += 1;
    return () => {
      this.#held -= 1;
      this.#wake();
    };
  }

  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.leading, this.term);
  }

  #wake(): void {
    if (this.#held === 0) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#held === 0) {
      const code = this.#failure;
      this.#failure = null;
      if (code === null) await this.#commit(this.#queue.splice(0));
      else await this.#fail(this.#queue.splice(0, 1), code);
    }
    this.#running = null;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    await this.#apply(batch);
    for (const waiting of batch) waiting.resolve(this.applied);
  }

  async #fail(batch: readonly Waiting[], code: ReplicaErrorCode): Promise<void> {
    if (code === 'unknown-outcome') await this.#apply(batch);
    for (const waiting of batch) waiting.reject(new ReplicaError(code, 'injected by a test'));
    if (code !== 'log-full') return;
    this.#failAll('log-full');
    this.#machine.follow();
    this.#machine.lead(this.term);
  }

  async #apply(batch: readonly Waiting[]): Promise<void> {
    this.#time = Math.max(this.#time, this.#now());
    const seq = this.applied + 1;
    const entry = { seq, term: this.term, time: this.#time, operations: batch.map((waiting) => waiting.operation) };
    const position = { seq, term: this.term, time: this.#time, log: 'memory', chain: String(seq) };
    await this.#machine.apply([entry], position);
    this.applied = seq;
  }

  #failAll(code: ReplicaErrorCode): void {
    for (const waiting of this.#queue.splice(0))
      waiting.reject(new ReplicaError(code, 'dropped before it was sequenced'));
  }
}

/**
 * Sequences proposals and applies them to the machine, several in one entry when several wait, as the real one does.
 * `now` is the clock of entries, milliseconds.
 */
export function memoryReplica(machine: StateMachine, options: { now?: () => number } = {}): MemoryReplica {
  const replica = new MemoryReplicaImplementation(machine, options.now ?? Date.now);
  replica.promote();
  return replica;
}
