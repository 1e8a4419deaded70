import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { keyOfText } from '../store/key-range.ts';
import type { FileRecord } from './archive.ts';
import { RunningMark } from './leftovers.ts';
import { LogRecorder } from './log-recorder.ts';
import { backupFolder, newestFormat, writeManifest, type Backup, type Manifest, type ShardRecord } from './manifest.ts';
import { BackupError } from './backup-error.ts';
import { eachOf, patiently } from './patience.ts';
import { folderOf, type Repository } from './repository/repository.ts';
import { endsOf, takeRound } from './round.ts';
import { copySnapshot, type CopiedSnapshot } from './snapshot-copy.ts';
import type { Source } from './source.ts';

/** Snapshots that are copied at once. */
const copiedAtOnce = 3;
/** A snapshot that breaks off, as its member died, is asked of the next one: so often for one shard. */
const attempts = 4;
/** A shard of which no member gives a snapshot for so long is given up, milliseconds. */
const patienceMs = 30_000;
/** The logs are copied so often while snapshots are, so that nothing is trimmed before it is copied, milliseconds. */
const followEveryMs = 2_000;

export interface BackupOptions {
  readonly source: Pick<Source, 'namespace' | 'shards' | 'logOf' | 'snapshot' | 'wall'>;
  readonly database: string;
  readonly repository: Repository;
  readonly signal: AbortSignal;
  /** Told what happens, for people. */
  readonly tell: (text: string) => void;
}

const newId = (now: Date): string =>
  `${now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${randomBytes(3).toString('hex')}`;

const shapeOf = (shards: readonly Pick<DbShardEntry, 'name' | 'start' | 'end' | 'epoch'>[]): string =>
  JSON.stringify(shards.map(({ name, start, end, epoch }) => [name, start, end, epoch]));

/** Whether the shards of a database are those that a backup holds. */
export const isSameShape = (shards: readonly DbShardEntry[], recorded: readonly ShardRecord[]): boolean =>
  shapeOf(shards) === shapeOf(recorded);

/** From when on a common moment can be restored; see `manifest.ts`. */
interface Beginning {
  /** Milliseconds. */
  readonly from: number;
  readonly settled: ReadonlyMap<string, number>;
  readonly floor: ReadonlyMap<string, number>;
}

/**
 * Copies a database: a snapshot of each shard, and its log from there on until after the last snapshot was copied.
 * Nothing in the repository is a backup until the manifest is there, which is written last; when it fails, what was
 * written is removed.
 * @throws BackupError
 */
export const makeFullBackup = (options: BackupOptions): Promise<Backup> => new FullBackup(options).run();

class FullBackup {
  readonly #options: BackupOptions;
  readonly #began = new Date();
  readonly #id = newId(this.#began);
  readonly #files: Repository;
  readonly #mark: RunningMark;
  readonly #shards: readonly DbShardEntry[];
  /** By shard. */
  readonly #recorders = new Map<string, LogRecorder>();
  #isBegunAnew = false;
  readonly #allBegun = Promise.withResolvers<void>();

  constructor(options: BackupOptions) {
    const { source, database, repository } = options;
    this.#options = options;
    this.#shards = source.shards(database);
    this.#files = folderOf(repository, backupFolder({ namespace: source.namespace, database, id: this.#id }));
    this.#mark = new RunningMark(this.#files);
  }

  async run(): Promise<Backup> {
    try {
      await this.#mark.set();
      return await this.#run();
    } catch (error) {
      this.#mark.stop();
      await this.#files.removeAll('').catch(() => {
        this.#options.tell(`what is in ${this.#files.name} is no backup, and could not be removed`);
      });
      throw error;
    }
  }

  async #run(): Promise<Backup> {
    const { source, database, signal } = this.#options;
    const copied = new AbortController();
    const stop = AbortSignal.any([signal, copied.signal]);
    const beside = Promise.all([this.#beginning(), this.#follow(stop)]);
    beside.catch(() => {});
    const snapshots = await this.#copyAll().finally(async () => {
      this.#allBegun.reject(new BackupError('unreachable', 'not all snapshots have begun'));
      copied.abort();
      await beside.catch(() => {});
    });
    const [begun] = await beside;
    // A snapshot that was asked for again began after that was read.
    const beginning = this.#isBegunAnew ? await this.#readBeginning() : begun;
    const round = await takeRound([...this.#recorders.values()], { wall: () => source.wall(), signal });
    const shards = this.#records(snapshots, beginning);
    if (!isSameShape(source.shards(database), shards)) {
      throw new BackupError('changed', `the shards of ${database} changed meanwhile: try again`);
    }
    const about = { id: this.#id, namespace: source.namespace, database, began: this.#began.toISOString() };
    const { from } = beginning;
    const manifest: Manifest = { format: newestFormat, ...about, from, shards, rounds: [round] };
    const backup = { manifest, files: this.#files };
    await writeManifest(backup);
    // It is a backup by now: a mark that stays does no harm.
    await this.#mark.clear().catch(() => {});
    return backup;
  }

  async #copyAll(): Promise<ReadonlyMap<string, CopiedSnapshot>> {
    const { signal } = this.#options;
    const copied = await eachOf(this.#shards, { atOnce: copiedAtOnce, signal }, async (shard, stop) => {
      return [shard.name, await this.#copy(shard, stop)] as const;
    });
    return new Map(copied);
  }

  async #copy(shard: DbShardEntry, signal: AbortSignal): Promise<CopiedSnapshot> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#copyOnce(shard, signal);
      } catch (error) {
        const isOver = !(error instanceof BackupError) || error.code !== 'unreachable' || attempt === attempts;
        if (isOver || signal.aborted) throw error;
        this.#options.tell(`${error.message}; asking again`);
        this.#isBegunAnew = true;
        await this.#files.removeAll(shard.name);
      }
    }
  }

  async #copyOnce(shard: DbShardEntry, signal: AbortSignal): Promise<CopiedSnapshot> {
    const { source, tell } = this.#options;
    const { name, epoch } = shard;
    const incoming = await patiently(() => source.snapshot(shard, 1, signal), { signal, forMs: patienceMs });
    const range = { start: keyOfText(shard.start), end: keyOfText(shard.end), epoch };
    const log = source.logOf(name);
    const { position: after } = incoming;
    this.#recorders.set(name, new LogRecorder({ shard: name, range, log, after, files: this.#files }));
    if (this.#recorders.size === this.#shards.length) this.#allBegun.resolve();
    tell(`shard ${name}: copying its state at entry ${incoming.position.seq}`);
    const copied = await copySnapshot(shard, incoming, { files: this.#files, signal });
    const [raw, stored] = [sum(copied.snapshot, 'rawBytes'), sum(copied.snapshot, 'bytes')];
    tell(`shard ${name}: ${copied.content.keys} keys, ${raw} bytes, ${stored} as they are stored`);
    return copied;
  }

  /** Once all snapshots have begun. */
  async #beginning(): Promise<Beginning> {
    await this.#allBegun.promise;
    return this.#readBeginning();
  }

  async #readBeginning(): Promise<Beginning> {
    const { source, signal } = this.#options;
    const recorders = [...this.#recorders.values()];
    const settled = await endsOf(recorders, signal);
    const floor = await endsOf(recorders, signal);
    return { from: source.wall(), settled, floor };
  }

  /** Copies the logs while the snapshots are being copied; what is not there for a moment is tried again. */
  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(followEveryMs, undefined, { signal }).catch(() => {});
      for (const recorder of this.#recorders.values()) {
        if (signal.aborted) return;
        await followOnce(recorder);
      }
    }
  }

  #records(snapshots: ReadonlyMap<string, CopiedSnapshot>, { settled, floor }: Beginning): ShardRecord[] {
    return this.#shards.flatMap(({ name, start, end, epoch }) => {
      const copied = snapshots.get(name);
      if (!copied) return [];
      return [{ name, start, end, epoch, ...copied, settled: settled.get(name) ?? 0, floor: floor.get(name) ?? 0 }];
    });
  }
}

const followOnce = async (recorder: LogRecorder): Promise<void> => {
  try {
    await recorder.copyTo(await recorder.end());
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'unreachable') throw error;
  }
};

const sum = (files: readonly FileRecord[], what: 'bytes' | 'rawBytes'): number =>
  files.reduce((total, file) => total + file[what], 0);
