import { join } from 'node:path';
import { unsplit, type DbShardEntry } from '../../../../contract/directory.ts';
import type { ReplicatedLog } from '../../../log/replicated-log.ts';
import type { IncomingSnapshot } from '../../../replica/snapshot-source.ts';
import { EffectWriter } from '../../store/effects.ts';
import { encodeRange, firstRange, rangeNote } from '../../store/key-range.ts';
import { Store } from '../../store/store.ts';
import type { BackupOptions } from '../full-backup.ts';
import { ListedLog } from './listed-log.ts';

/** One shard of a {@link ListedSource}. */
export interface ListedShard {
  readonly entry: DbShardEntry;
  readonly log: ListedLog;
  readonly store: Store;
}

const entryOf = (name: string, start: string, end: string): DbShardEntry => ({
  kind: 'db',
  namespace: 'test',
  name,
  database: 'app',
  start,
  end,
  log: null,
  members: [],
  primary: null,
  term: 1,
  conflict: null,
  ...unsplit,
});

/** A database as a backup sees it, without members and NATS: stores, and logs in memory. */
export class ListedSource implements Pick<BackupOptions['source'], 'namespace'> {
  readonly namespace = 'test';
  readonly listed: readonly ListedShard[];

  constructor(dir: string, cuts: readonly string[]) {
    const starts = ['', ...cuts];
    this.listed = starts.map((start, i) => {
      const entry = entryOf(`app-${i}`, start, starts[i + 1] ?? '');
      return { entry, log: new ListedLog(), store: new Store(join(dir, entry.name)) };
    });
  }

  /** Gives each shard the state that its snapshot will hold: its range, and what is written here. */
  async begin(write: (writer: EffectWriter, shard: ListedShard) => void): Promise<void> {
    for (const shard of this.listed) {
      const { entry, log, store } = shard;
      const writer = new EffectWriter();
      writer.note(rangeNote, encodeRange(firstRange(entry)));
      write(writer, shard);
      await store.apply([{ seq: 1, term: 1, time: 1, operations: [writer.take()] }], log.after);
    }
  }

  shards(): readonly DbShardEntry[] {
    return this.listed.map(({ entry }) => entry);
  }

  logOf(name: string): ReplicatedLog {
    return this.#find(name).log as Pick<ReplicatedLog, 'extent' | 'read'> as ReplicatedLog;
  }

  async snapshot({ name }: DbShardEntry): Promise<IncomingSnapshot> {
    return this.#find(name).store.snapshot();
  }

  wall(): number {
    return 1_000_000;
  }

  async close(): Promise<void> {
    for (const { store } of this.listed) await store.close();
  }

  #find(name: string): ListedShard {
    const found = this.listed.find(({ entry }) => entry.name === name);
    if (!found) throw new Error(`no shard ${name}`);
    return found;
  }
}
