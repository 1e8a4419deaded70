import type { CommittedEntry, Position } from '../../replica/state-machine.ts';
import { memoryReplica, type MemoryReplica } from '../../replica/testing/memory-replica.ts';
import { answerStatus, decodeAnswers } from '../batch/answer-batch.ts';
import { inEpoch } from '../batch/epoch.ts';
import { encodeRequests, type BatchedRequest } from '../batch/request-batch.ts';
import { KeyValueMachine } from '../machine.ts';
import { Executor } from '../member/executor.ts';
import { encodeCommand } from '../resp/frame.ts';
import type { KeyRange } from '../store/key-range.ts';
import { Store } from '../store/store.ts';

/** A shard with one member, whose log is a list of entries. For tests of what shards do together. */
export class ListedShard {
  readonly #dir: string;
  readonly #initial: KeyRange | null;
  readonly #now: () => number;
  /** What is left of the log. */
  readonly entries: CommittedEntry[] = [];
  store: Store;
  replica: MemoryReplica;
  executor: Executor;

  /** `now`: its clock, milliseconds. */
  constructor(dir: string, initial: KeyRange | null, now: () => number = Date.now) {
    this.#now = now;
    this.#dir = dir;
    this.#initial = initial;
    [this.store, this.replica, this.executor] = this.#open();
  }

  #open(): [Store, MemoryReplica, Executor] {
    const store = new Store(this.#dir);
    const machine = new KeyValueMachine(store);
    const { entries } = this;
    const apply = machine.apply.bind(machine);
    machine.apply = async (batch: readonly CommittedEntry[], position: Position) => {
      entries.push(
        ...batch.map((entry) => ({ ...entry, operations: entry.operations.map((each) => Buffer.from(each)) })),
      );
      await apply(batch, position);
    };
    const replica = memoryReplica(machine, { now: this.#now });
    const executor = new Executor({ store, replica, now: this.#now, initialRange: () => this.#initial });
    machine.serve(executor);
    return [store, replica, executor];
  }

  /** Another member leads: all that is not in the log is gone. */
  failOver(): void {
    this.replica.stepDown();
    this.replica.promote();
  }

  /** The process ends and starts again. */
  async restart(): Promise<void> {
    this.replica.stepDown();
    await this.replica.idle();
    await this.store.close();
    [this.store, this.replica, this.executor] = this.#open();
  }

  /** The log forgets all that it holds. */
  trim(): void {
    this.entries.length = 0;
  }

  /** Asks one thing, as a gateway of its own that knows the shard's range. */
  ask(words: readonly (string | Buffer)[]): Promise<{ status: number; bytes: Buffer }> {
    const epoch = this.store.keyRange?.epoch ?? 0;
    return this.request(inEpoch({ kind: 0, payload: encodeCommand([...words]) }, epoch));
  }

  /** What {@link ask} is answered, as text; a key that is elsewhere is MOVED. */
  async text(line: string): Promise<string> {
    const { status, bytes } = await this.ask(line.split(' '));
    return status === answerStatus.moved ? 'MOVED' : bytes.toString('latin1').trim().replaceAll('\r\n', ' ');
  }

  request({ kind, payload }: Pick<BatchedRequest, 'kind' | 'payload'>): Promise<{ status: number; bytes: Buffer }> {
    return new Promise((resolve) => {
      const send = (message: Buffer): void => {
        for (const { status, bytes } of decodeAnswers(message)) resolve({ status, bytes: Buffer.from(bytes) });
      };
      this.executor.handle({ epoch: 0, refusedEpoch: 0, send }, encodeRequests(1, [{ id: 1, kind, payload }]));
    });
  }

  async close(): Promise<void> {
    await this.replica.idle();
    await this.store.close();
  }
}
