import type { DbShardEntry } from '../../../../contract/directory.ts';
import { inEpoch, type EpochRequest } from '../../batch/epoch.ts';
import { DbError } from '../../db-error.ts';
import type { Router } from '../../gateway/router.ts';
import { decodeReply, ReplyError, type Reply } from '../../resp/reply.ts';
import { BackupError } from '../backup-error.ts';
import { patiently } from '../patience.ts';

/** Errors of the database after which the same may be asked again; see `DbErrorCode`. */
const passing = /^(TRYAGAIN|UNKNOWN|CLUSTERDOWN|OOM) /;
/** A database that does not take a request for so long is given up, milliseconds. */
const patienceMs = 60_000;

/** A request to the shard of a key, or on all keys of one that is named. */
export interface TargetRequest {
  readonly payload: Buffer;
  /** Bits of `requestKind`. */
  readonly kind?: number;
  readonly key?: string;
  /** All keys that it is about, `key` among them; left out: only that one. */
  readonly keys?: readonly string[];
  readonly shard?: string;
}

/** The database that is restored into. */
export class Target {
  readonly database: string;
  readonly #router: Router;

  constructor(router: Router, database: string) {
    this.#router = router;
    this.database = database;
  }

  /** @throws BackupError unreachable */
  get shards(): readonly DbShardEntry[] {
    return whenServed(() => this.#router.ranges(this.database).shards);
  }

  /** The shard of a key, one character a byte. @throws BackupError unreachable */
  shardOf(key: string): DbShardEntry {
    return whenServed(() => this.#router.ranges(this.database).find(key));
  }

  /** Asks once. @throws BackupError unreachable when it may be asked again, else invalid */
  async ask({ payload, kind = 0, key, keys, shard }: TargetRequest): Promise<Reply> {
    const entry = key === undefined ? this.#named(shard) : this.shardOf(key);
    const asked = key === undefined ? this.#inEpoch(entry, { kind, payload }) : { kind, payload };
    const place = key === undefined ? {} : { keys: keys ?? [key], database: this.database };
    const bytes = await new Promise<Buffer>((resolve) => {
      this.#router.submit(entry, { ...asked, writes: true, waiter: { answer: resolve }, ...place });
    });
    const reply = decodeReply(bytes)?.reply ?? null;
    const failure = [reply, ...(Array.isArray(reply) ? (reply as readonly Reply[]) : [])].find(
      (each) => each instanceof ReplyError,
    );
    if (failure instanceof ReplyError) throw refusal(this.database, failure.message);
    return reply;
  }

  /** Asks until it is answered. Only for what may be carried out twice. @throws BackupError */
  askUntilDone(request: TargetRequest, signal: AbortSignal): Promise<Reply> {
    return patiently(() => this.ask(request), { signal, forMs: patienceMs });
  }

  /** A place in the log of a shard that holds all that was acknowledged before. `payload`: a read of all of it. @throws BackupError */
  sequenceOf(shard: string, payload: Buffer, signal: AbortSignal): Promise<number> {
    const read = async (): Promise<number> => {
      const entry = this.#named(shard);
      const asked = this.#inEpoch(entry, { kind: 0, payload });
      const { reply, sequence } = await this.#router.ask(entry.name, { ...asked, writes: false });
      if (reply[0] !== 45) return sequence;
      throw refusal(this.database, reply.toString('utf8', 1).trimEnd());
    };
    return patiently(read, { signal, forMs: patienceMs });
  }

  /** A shard that was split has other keys than it had: it refuses who does not know that. */
  #inEpoch(shard: DbShardEntry, request: EpochRequest): EpochRequest {
    return inEpoch(
      request,
      whenServed(() => this.#router.ranges(this.database).epochOf(shard)),
    );
  }

  #named(shard: string | undefined): DbShardEntry {
    const entry = this.shards.find(({ name }) => name === shard);
    if (entry) return entry;
    throw new BackupError('changed', `shard ${shard ?? ''} is no longer one of ${this.database}`);
  }
}

const refusal = (database: string, line: string): BackupError =>
  new BackupError(passing.test(line) ? 'unreachable' : 'invalid', `database ${database}: ${line}`);

const whenServed = <T>(find: () => T): T => {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    throw new BackupError('unreachable', error.message, { cause: error });
  }
};
