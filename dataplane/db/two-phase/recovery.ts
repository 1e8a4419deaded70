import { decodeReply } from '../resp/reply.ts';
import type { SendStep } from './coordinator.ts';
import { decodeNote, transactionOf, type TransactionNote } from './note.ts';
import { decision, encodeStep, type StepName } from './step.ts';

/** A transaction whose coordinator was not heard for so long is taken over, milliseconds. */
export const takeOverMs = 2_000;
/** A commit that others may still ask about is remembered for at least so long, milliseconds. */
export const rememberMs = 30_000;

export interface RecoveryOptions {
  /** Name of this shard. */
  readonly shard: string;
  /** Whether this member leads it. */
  readonly leading: () => boolean;
  readonly notes: () => ReadonlyMap<string, Buffer>;
  /** Also to this shard. */
  readonly send: SendStep;
  /** Whether a shard is gone for good; see `Deleted`. Left out: none is. */
  readonly deleted?: (shard: string) => boolean;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
}

interface Seen {
  readonly since: number;
  /** Everybody carried out the commit. */
  carriedOut: boolean;
}

const answerOf = ({ reply }: { readonly reply: Buffer }): unknown => decodeReply(reply)?.reply;

/**
 * Finishes transactions over several shards whose coordinator is gone. Runs on the primary of each shard:
 * the anchor aborts what is undecided, and sees to it that everybody carries out what it committed; the others ask the
 * anchor. Age is what this process has seen: no clock of another process, and no wall clock, decides anything.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #seen = new Map<string, Seen>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Transactions that are under way here. */
  get open(): number {
    return this.#seen.size;
  }

  /** Looks once at everything. Called a few times a second. */
  async look(): Promise<void> {
    const { notes, leading } = this.#options;
    if (!leading()) return this.#seen.clear();
    const present = new Map<string, TransactionNote>();
    for (const [name, bytes] of notes()) {
      const id = transactionOf(name);
      if (id !== null) present.set(id, decodeNote(bytes));
    }
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id);
    await Promise.all([...present].map(([id, note]) => this.#one(id, note)));
  }

  async #one(id: string, note: TransactionNote): Promise<void> {
    const now = this.#options.now();
    const seen = this.#seen.get(id) ?? { since: now, carriedOut: false };
    this.#seen.set(id, seen);
    if (now - seen.since < takeOverMs) return;
    if (note.state === 'committed') return this.#finish(id, note, seen);
    if (note.anchor === this.#options.shard) await this.#step('abort', id, note.anchor);
    else await this.#follow(id, note.anchor);
  }

  async #follow(id: string, anchor: string): Promise<void> {
    // While it knew of the transaction it was not deleted; a commit it would have known until all had carried it out.
    if (this.#isDeleted(anchor)) return void (await this.#step('drop', id, this.#options.shard));
    const answer = answerOf(await this.#step('ask', id, anchor));
    if (answer === decision.committed) await this.#step('apply', id, this.#options.shard);
    else if (answer === decision.aborted) await this.#step('drop', id, this.#options.shard);
  }

  async #finish(id: string, note: TransactionNote, seen: Seen): Promise<void> {
    if (!seen.carriedOut) {
      const others = note.participants.filter((shard) => shard !== this.#options.shard && !this.#isDeleted(shard));
      const answers = await Promise.all(others.map((shard) => this.#step('apply', id, shard)));
      seen.carriedOut = answers.every((answer) => answerOf(answer) === 'OK');
    }
    if (seen.carriedOut && this.#options.now() - seen.since > rememberMs) {
      await this.#step('forget', id, this.#options.shard);
    }
  }

  #isDeleted(shard: string): boolean {
    return this.#options.deleted?.(shard) ?? false;
  }

  #step(name: Exclude<StepName, 'prepare'>, id: string, shard: string): ReturnType<SendStep> {
    return this.#options.send(shard, encodeStep({ name, id }));
  }
}
