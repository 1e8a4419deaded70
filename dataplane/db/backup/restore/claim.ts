import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { encodeTransaction, requestKind } from '../../batch/request-batch.ts';
import { maxKeyBytes } from '../../limits.ts';
import { encodeValue } from '../../member/value-commands.ts';
import { encodeCommand } from '../../resp/frame.ts';
import { firstHiddenType } from '../../store/row.ts';
import { BackupError } from '../backup-error.ts';
import { patiently } from '../patience.ts';
import type { Target } from './target.ts';

/**
 * While a database is being restored it holds a record that says so: a row of a type that clients do not see, under a key
 * that is longer than theirs can be. It is the first that is written and goes when all is there and checked. So a
 * database that holds half of a backup is known to be that, whoever looks later.
 */
const key = 'quartet:restore'.padEnd(maxKeyBytes + 1, '.');
const type = firstHiddenType;

const record = z.object({
  run: z.string(),
  backup: z.string(),
  /** When it was last written, milliseconds of the database's clock. */
  beat: z.number(),
});
type ClaimRecord = z.infer<typeof record>;

const beatEveryMs = 5_000;
/** A run that did not write its record for so long is gone, milliseconds. */
const goneAfterMs = 30_000;
const patienceMs = 60_000;

const raw = Buffer.from(key, 'latin1');

const load = (content: ClaimRecord): Buffer => {
  const value = Buffer.from(JSON.stringify(content));
  return encodeCommand(['QLOAD', raw, encodeValue({ type, value, expireAt: 0, version: 0 })]);
};

/** The record of QDUMP's bytes: the type, the expiry and the length come before the value. */
const decode = (dump: Buffer): ClaimRecord | null => {
  if (dump[0] !== type) return null;
  const parsed = record.safeParse(JSON.parse(dump.toString('utf8', 13)));
  return parsed.success ? parsed.data : null;
};

interface Found {
  readonly content: ClaimRecord;
  readonly version: number;
}

export interface ClaimOptions {
  readonly target: Target;
  /** Name of what is restored. */
  readonly backup: string;
  readonly wall: () => number;
  readonly signal: AbortSignal;
}

/** Takes an empty database, or one that an interrupted restore left, for a restore. */
export class Claim {
  readonly #options: ClaimOptions;
  readonly #run = randomUUID();
  readonly #lost = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ClaimOptions) {
    this.#options = options;
  }

  /** Aborts when another run took the database. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * What an interrupted restore left is removed.
   * @throws BackupError not-empty when it holds something else, or another run is at work
   */
  async take(): Promise<void> {
    const found = await this.#read();
    if (found === null) await this.#takeEmpty();
    else await this.#takeOver(found);
    this.#timer = setInterval(() => void this.#beat().catch(() => {}), beatEveryMs);
  }

  /** All is there: the database is like any other from now on. */
  async release(): Promise<void> {
    this.leave();
    const { target, signal } = this.#options;
    await target.askUntilDone({ payload: encodeCommand(['UNLINK', raw]), key }, signal);
  }

  /** The restore failed: the record stays. */
  leave(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #takeEmpty(): Promise<void> {
    const { target, signal } = this.#options;
    if (!(await this.#swap(0))) throw this.#held('something has just been written into it');
    let keys = -1;
    for (const { name } of target.shards) {
      keys += Number(await target.askUntilDone({ payload: encodeCommand(['DBSIZE']), shard: name }, signal));
    }
    if (keys === 0) return;
    await this.release();
    throw this.#held(`it holds ${keys} keys`);
  }

  async #takeOver({ content, version }: Found): Promise<void> {
    const { target, wall, signal } = this.#options;
    const silentMs = wall() - content.beat;
    if (content.run !== this.#run && silentMs < goneAfterMs) {
      const again = Math.ceil((goneAfterMs - silentMs) / 1000);
      throw this.#held(`another restore writes into it; if that was interrupted, try again in ${again} s`);
    }
    if (!(await this.#swap(version))) throw this.#held('another restore has just begun');
    const own = target.shardOf(key).name;
    for (const { name } of target.shards) {
      if (name !== own) await target.askUntilDone({ payload: encodeCommand(['FLUSHALL']), shard: name }, signal);
    }
    // In the shard of the record both at once: it must not be gone while anything is left.
    const all = encodeTransaction([], [encodeCommand(['FLUSHALL']), load(this.#content())]);
    await target.askUntilDone({ kind: requestKind.transaction, payload: all, shard: own }, signal);
  }

  /** Writes the record if its version is this one; 0: if there is none. */
  async #swap(version: number): Promise<boolean> {
    const { target, signal } = this.#options;
    const payload = encodeTransaction([{ key, version }], [load(this.#content())]);
    const swap = async (): Promise<boolean> => {
      if ((await target.ask({ kind: requestKind.transaction, payload, key })) !== null) return true;
      // It may have been written by an attempt whose outcome was not known.
      return (await this.#read())?.content.run === this.#run;
    };
    return patiently(swap, { signal, forMs: patienceMs });
  }

  async #read(): Promise<Found | null> {
    const { target, signal } = this.#options;
    const facts = await target.askUntilDone({ payload: encodeCommand(['QREAD', raw]), key }, signal);
    const [version] = (Array.isArray(facts) && Array.isArray(facts[0]) ? facts[0] : []) as readonly unknown[];
    const dump = await target.askUntilDone({ payload: encodeCommand(['QDUMP', raw]), key }, signal);
    const content = Buffer.isBuffer(dump) ? decode(dump) : null;
    return content === null ? null : { content, version: Number(version) };
  }

  async #beat(): Promise<void> {
    const found = await this.#read();
    if (found?.content.run !== this.#run || !(await this.#swap(found.version))) this.#lost.abort();
  }

  #content(): ClaimRecord {
    const { backup, wall } = this.#options;
    return { run: this.#run, backup, beat: wall() };
  }

  #held(why: string): BackupError {
    const { database } = this.#options.target;
    return new BackupError('not-empty', `database ${database} is not free to be restored into: ${why}`);
  }
}
