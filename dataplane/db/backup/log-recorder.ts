import { randomBytes } from 'node:crypto';
import { LogError } from '../../log/log-error.ts';
import type { ReplicatedLog, StoredEntry } from '../../log/replicated-log.ts';
import { historyOf, positionOf, type History } from '../../replica/history.ts';
import type { CommittedEntry, Position } from '../../replica/state-machine.ts';
import { applyEffects, ignoring } from '../store/effects.ts';
import { decodeRange, rangeNote, type KeyRange } from '../store/key-range.ts';
import { storeFile } from './archive.ts';
import { BackupError } from './backup-error.ts';
import { encodePart } from './log-part.ts';
import type { LogPart } from './manifest.ts';
import { judge } from './replay.ts';
import type { Repository } from './repository/repository.ts';

const page = { entries: 512, bytes: 2 * 1024 * 1024 } as const;
/** Entries in one file, bytes; one page may be above it. A restore holds one file of every shard in memory. */
const maxPartBytes = 4 * 1024 * 1024;

export interface RecordedLog {
  readonly shard: string;
  readonly log: Pick<ReplicatedLog, 'extent' | 'read'>;
  /** Its keys. */
  readonly range: Pick<KeyRange, 'start' | 'end' | 'epoch'>;
  /** Where what is recorded begins. */
  readonly after: Position;
  /** The folder of the backup. */
  readonly files: Repository;
}

/** What was copied: as far as nothing was copied beyond. */
export interface Recorded {
  readonly last: Position;
  readonly parts: readonly LogPart[];
}

/** Whether an entry gives the shard another range than it had. */
const changesRange = ({ operations }: CommittedEntry, { start, end, epoch }: RecordedLog['range']): boolean => {
  let changes = false;
  const note = (name: string, value: Buffer): void => {
    if (name !== rangeNote) return;
    const range = decodeRange(value);
    changes ||= range.start !== start || range.end !== end || range.epoch !== epoch;
  };
  for (const operation of operations) applyEffects(operation, { ...ignoring, note });
  return changes;
};

/**
 * Copies a log from a position on, as far as it goes each time it is told to. What is known to be copied moves on only
 * when it is in the repository: after a failure it may be told again.
 */
export class LogRecorder {
  readonly shard: string;
  readonly #options: RecordedLog;
  readonly #run = randomBytes(4).toString('hex');
  #history: History;
  /** That the log had when it was asked last. */
  #end: number;
  readonly #parts: LogPart[] = [];

  constructor(options: RecordedLog) {
    this.shard = options.shard;
    this.#options = options;
    this.#history = historyOf(options.after);
    this.#end = options.after.seq;
  }

  get recorded(): Recorded {
    return { last: positionOf(this.#history, this.#options.after.log), parts: [...this.#parts] };
  }

  /** The end that the log has now. @throws BackupError changed, unreachable */
  async end(): Promise<number> {
    const { log, after } = this.#options;
    const { created, first, last } = await log.extent().catch((error: unknown) => {
      throw this.#failure(error);
    });
    if (created !== after.log) throw new BackupError('changed', `the log of shard ${this.shard} is another one by now`);
    if (first > this.#history.seq + 1) throw this.#trimmed();
    if (last < this.#end) throw new BackupError('unreachable', `the log of shard ${this.shard} is shorter than it was`);
    this.#end = last;
    return last;
  }

  /** Copies up to an entry. Not to be called twice at once. @throws BackupError changed, unreachable, storage, damaged */
  async copyTo(end: number): Promise<void> {
    while (this.#history.seq < end) await this.#copyPart(end);
  }

  async #copyPart(end: number): Promise<void> {
    let history = this.#history;
    const part: StoredEntry[] = [];
    for (let bytes = 0; history.seq < end && bytes < maxPartBytes;) {
      for (const entry of await this.#read(history.seq + 1)) {
        if (history.seq >= end) break;
        history = this.#judge(history, entry);
        part.push(entry);
        bytes += entry.bytes.length;
      }
    }
    const first = this.#history.seq + 1;
    const path = `${this.shard}/log-${String(first).padStart(12, '0')}-${this.#run}.zst`;
    const file = await storeFile(this.#options.files, path, encodePart(part));
    this.#parts.push({ first, last: history.seq, file });
    this.#history = history;
  }

  async #read(from: number): Promise<readonly StoredEntry[]> {
    try {
      const entries = await this.#options.log.read(from, page);
      // A copy of the stream that is late has nothing yet.
      if (entries.length === 0) throw new LogError('unavailable', `entry ${from} is not there yet`);
      return entries;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** An entry that no replica could read is no good in a backup either; nor does one shard stay what it was in a split. */
  #judge(history: History, { bytes }: StoredEntry): History {
    const judged = judge(history, bytes);
    if (judged.entry === null || !changesRange(judged.entry, this.#options.range)) return judged.history;
    throw new BackupError('changed', `the range of shard ${this.shard} has changed meanwhile: make a new backup`);
  }

  #failure(error: unknown): unknown {
    if (!(error instanceof LogError)) return error;
    if (error.code === 'unavailable') return new BackupError('unreachable', error.message, { cause: error });
    if (error.code === 'trimmed') return this.#trimmed();
    return new BackupError('changed', `the log of shard ${this.shard} is ${error.code}: ${error.message}`, {
      cause: error,
    });
  }

  #trimmed(): BackupError {
    return new BackupError('changed', `the log of shard ${this.shard} was trimmed beyond what the backup has`);
  }
}
