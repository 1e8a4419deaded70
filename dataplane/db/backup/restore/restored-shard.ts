import { join } from 'node:path';
import type { CommittedEntry, Position } from '../../../replica/state-machine.ts';
import { EffectWriter } from '../../store/effects.ts';
import { everything } from '../../store/key-range.ts';
import { Store } from '../../store/store.ts';
import { loading } from '../archive.ts';
import { BackupError, reasonOf } from '../backup-error.ts';
import type { Settlement } from '../consistency/settle.ts';
import type { Bounds } from '../consistency/transaction-history.ts';
import { ContentHash } from '../content-hash.ts';
import type { Backup, LogPart, ShardRecord } from '../manifest.ts';
import { goOn } from '../patience.ts';
import { replay, type Replayed } from '../replay.ts';
import type { Repository } from '../repository/repository.ts';

/** Entries that are applied at once. */
const appliedAtOnce = 256;

const until = async function* <T>(signal: AbortSignal, all: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const each of all) {
    goOn(signal);
    yield each;
  }
};

/** One shard of a backup as it is in its files. */
export class ShardFiles {
  readonly record: ShardRecord;
  readonly bounds: Bounds;
  readonly #files: Repository;
  readonly #parts: readonly LogPart[];

  constructor({ manifest: { rounds }, files }: Backup, record: ShardRecord) {
    const { name, position, settled, floor, open } = record;
    this.record = record;
    this.bounds = { position: position.seq, settled, floor, ceiling: rounds.at(-1)?.shards[name]?.ceiling ?? 0, open };
    this.#files = files;
    this.#parts = rounds.flatMap(({ shards }) => shards[name]?.parts ?? []);
  }

  /** @throws BackupError damaged, unreachable */
  snapshot(): AsyncGenerator<Uint8Array> {
    return loading(this.#files, this.record.snapshot);
  }

  /** The log behind the snapshot. @throws BackupError damaged, unreachable */
  log(): AsyncGenerator<Replayed> {
    return replay(this.#files, this.record.position, this.#parts);
  }
}

/** One shard of a backup, on its way to its state at a moment: a store on this machine's disk. */
export class RestoredShard {
  readonly store: Store;
  readonly #files: ShardFiles;

  constructor(files: ShardFiles, dir: string) {
    this.#files = files;
    this.store = new Store(join(dir, files.record.name));
  }

  get name(): string {
    return this.#files.record.name;
  }

  /** Takes over the snapshot, and checks that it is what was backed up. @throws BackupError damaged, unreachable */
  async takeSnapshot(signal: AbortSignal): Promise<void> {
    const { position, content, name } = this.#files.record;
    try {
      await this.store.restore(position, until(signal, this.#files.snapshot()));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new BackupError('damaged', `the snapshot of shard ${name} is damaged: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    const hash = new ContentHash(0);
    hash.state(this.store, this.store.keyRange ?? everything);
    const found = hash.take();
    if (found.hash === content.hash && found.keys === content.keys) return;
    throw new BackupError('damaged', `shard ${name} has another content than the one that was backed up`);
  }

  /** Applies the log up to an entry. @throws BackupError damaged, unreachable */
  async advance(to: number, signal: AbortSignal): Promise<void> {
    let entries: CommittedEntry[] = [];
    let last: Position = this.#files.record.position;
    const apply = async (): Promise<void> => {
      goOn(signal);
      await this.store.apply(entries, last);
      entries = [];
    };
    for await (const { position, entry } of this.#files.log()) {
      if (position.seq > to) break;
      last = position;
      if (entry !== null) entries.push(entry);
      if (entries.length >= appliedAtOnce) await apply();
    }
    await apply();
  }

  /** Finishes the transactions that are under way. */
  async settle({ effects, forget }: Settlement): Promise<void> {
    const before = this.store.position ?? this.#files.record.position;
    const forgetting = new EffectWriter();
    for (const name of forget) forgetting.forget(name);
    const position = { ...before, seq: before.seq + 1 };
    const { term, time } = before;
    await this.store.apply([{ seq: position.seq, term, time, operations: [...effects, forgetting.take()] }], position);
    await this.store.flush();
  }
}
