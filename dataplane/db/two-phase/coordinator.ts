import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTransaction, type WatchedKey } from '../batch/request-batch.ts';
import { decodeReply, ReplyError } from '../resp/reply.ts';
import { decision, encodeStep, type Roles, type StepName } from './step.ts';

/** One shard's part of a transaction. */
export interface Part {
  readonly shard: string;
  readonly watched: readonly WatchedKey[];
  readonly commands: readonly Buffer[];
}

export interface ShardAnswer {
  /** In RESP; an error begins with `-` and a code of `DbErrorCode`. */
  readonly reply: Buffer;
  readonly sequence: number;
  /**
   * The range of the shard has changed: surely nothing was done, and it is to be planned anew; `reply` is an error. To be
   * called when that is done: what the asker asked later waits for it.
   */
  readonly overtaken?: () => void;
}

/** Sends a step to the primary of a shard. Never rejects; what cannot be sent in time is answered with an error. */
export type SendStep = (shard: string, payload: Buffer) => Promise<ShardAnswer>;

/**
 * - committed: `replies` holds each shard's replies, in the order of its commands
 * - changed: a watched key had another version; nothing was executed
 * - refused: `veto` did not like the replies of one shard; nothing was executed
 * - overtaken: the range of a shard is another one than planned for, or its primary is gone; nothing was executed, and it
 *   is to be planned anew
 * - failed: an error reply; its code says whether it may have been executed
 */
export type TransactionOutcome =
  | {
      readonly kind: 'committed';
      readonly replies: ReadonlyMap<string, readonly Buffer[]>;
      readonly sequences: Sequences;
    }
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'overtaken' }
  | { readonly kind: 'failed'; readonly error: string };

/** Log sequence that contains the transaction's part, by shard; the others' parts follow within milliseconds. */
export type Sequences = ReadonlyMap<string, number>;

export interface CoordinatorOptions {
  readonly send: SendStep;
  /** Looks at the replies of one shard; true: do not execute the transaction. */
  readonly veto?: (replies: readonly Buffer[]) => boolean;
  readonly random?: () => number;
}

/** A transaction that was aborted by others (it took too long) is tried again so often. */
const attempts = 4;
/** The decision is asked for again so often when its outcome was not known. */
const decisionAttempts = 5;
const firstPauseMs = 20;

type Aborted = Exclude<TransactionOutcome, { kind: 'committed' }> | { readonly kind: 'again' };

/** The replies in an array reply, each in RESP. */
export const splitReplies = (array: Buffer): Buffer[] => {
  const replies: Buffer[] = [];
  for (let at = array.indexOf('\r\n') + 2; at < array.length;) {
    const next = decodeReply(array, at)?.next ?? array.length;
    replies.push(array.subarray(at, next));
    at = next;
  }
  return replies;
};

const errorOf = (reply: Buffer): string | null => {
  if (reply[0] !== 45) return null;
  const decoded = decodeReply(reply)?.reply;
  return decoded instanceof ReplyError ? decoded.message : 'ERR internal error: a cut reply';
};

const isNil = (reply: Buffer): boolean => reply[0] === 95 || reply[1] === 45;

/**
 * Carries out a transaction over several shards, all of it or nothing, by two-phase commit.
 *
 * The first shard by name is the anchor. Each shard in the order of the names evaluates its part, keeps the effects and
 * locks the keys; the anchor then decides with one record in its log, and that moment is the commit. Locks are always
 * taken in the same order of shards, and whoever has the last one waits for nobody, so there is no deadlock.
 * Wherever this process ends, `recovery.ts` on the members finishes what it began.
 */
export const coordinate = async (parts: readonly Part[], options: CoordinatorOptions): Promise<TransactionOutcome> => {
  const ordered = parts.toSorted((a, b) => (a.shard < b.shard ? -1 : 1));
  const random = options.random ?? Math.random;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(firstPauseMs * 2 ** attempt * (0.5 + random()));
    const outcome = await new Attempt(ordered, options).run();
    if (outcome.kind !== 'again') return outcome;
  }
  return { kind: 'failed', error: 'TRYAGAIN other transactions were in the way for too long; not executed' };
};

class Attempt {
  readonly #id = randomUUID();
  readonly #parts: readonly Part[];
  readonly #options: CoordinatorOptions;
  readonly #roles: Roles;
  readonly #replies = new Map<string, readonly Buffer[]>();
  readonly #sequences = new Map<string, number>();

  constructor(parts: readonly Part[], options: CoordinatorOptions) {
    this.#parts = parts;
    this.#options = options;
    const participants = parts.map(({ shard }) => shard);
    this.#roles = { anchor: participants[0] ?? '', participants };
  }

  async run(): Promise<TransactionOutcome | Aborted> {
    for (const part of this.#parts) {
      const failure = await this.#prepare(part);
      if (failure === null) continue;
      void this.#abort(part);
      return failure;
    }
    return this.#decide();
  }

  async #prepare(part: Part): Promise<Aborted | null> {
    const transaction = encodeTransaction(part.watched, part.commands);
    const payload = encodeStep({ name: 'prepare', id: this.#id, roles: this.#roles, transaction });
    const { reply, sequence, overtaken } = await this.#options.send(part.shard, payload);
    if (overtaken) return { kind: 'overtaken' };
    const error = errorOf(reply);
    // A prepare whose outcome is not known executes nothing: it is aborted before anything is decided.
    if (error?.startsWith('UNKNOWN')) return { kind: 'overtaken' };
    if (error !== null) return { kind: 'failed', error };
    if (isNil(reply)) return { kind: 'changed' };
    const replies = splitReplies(reply);
    this.#replies.set(part.shard, replies);
    this.#sequences.set(part.shard, sequence);
    return this.#options.veto?.(replies) === true ? { kind: 'refused' } : null;
  }

  /** Gives up what is prepared, up to this part. The anchor's decision comes first; without it the others would ask. */
  async #abort(last: Part): Promise<void> {
    await this.#step('abort', this.#roles.anchor);
    const reached = this.#parts.slice(1, this.#parts.indexOf(last) + 1);
    await Promise.all(reached.map(({ shard }) => this.#step('drop', shard)));
  }

  async #decide(): Promise<TransactionOutcome | Aborted> {
    let doubtful = false;
    for (let attempt = 0; attempt < decisionAttempts; attempt++) {
      const { reply, sequence } = await this.#step('commit', this.#roles.anchor);
      const error = errorOf(reply);
      if (error === null) return this.#decided(reply, sequence, doubtful);
      doubtful ||= error.startsWith('UNKNOWN');
      if (!doubtful) return { kind: 'failed', error };
    }
    return { kind: 'failed', error: 'UNKNOWN the outcome is not known: the transaction may or may not be executed' };
  }

  #decided(reply: Buffer, sequence: number, doubtful: boolean): TransactionOutcome | Aborted {
    if (decodeReply(reply)?.reply !== decision.committed) {
      // An earlier attempt may have committed, and the record be gone since.
      return doubtful
        ? { kind: 'failed', error: 'UNKNOWN the outcome of the transaction is not known' }
        : { kind: 'again' };
    }
    this.#sequences.set(this.#roles.anchor, sequence);
    void this.#finish();
    return { kind: 'committed', replies: this.#replies, sequences: this.#sequences };
  }

  async #finish(): Promise<void> {
    const others = this.#parts.slice(1);
    const answers = await Promise.all(others.map(({ shard }) => this.#step('apply', shard)));
    if (answers.every(({ reply }) => errorOf(reply) === null)) await this.#step('forget', this.#roles.anchor);
  }

  #step(name: Exclude<StepName, 'prepare'>, shard: string): Promise<ShardAnswer> {
    return this.#options.send(shard, encodeStep({ name, id: this.#id }));
  }
}
