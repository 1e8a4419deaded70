import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError, reasonOf } from '../backup-error.ts';
import { findCut, type Cut } from '../consistency/cut.ts';
import { inOrderOfTime } from '../consistency/merge.ts';
import { settle } from '../consistency/settle.ts';
import type { Backup } from '../manifest.ts';
import { eachOf } from '../patience.ts';
import { RestoredShard, ShardFiles } from './restored-shard.ts';

/** Shards that are restored at once. */
const restoredAtOnce = 2;

export interface PrepareOptions {
  readonly backup: Backup;
  /** Milliseconds since 1970; null: the end of the backup. */
  readonly at: number | null;
  /** Where a directory for the restored stores is made; they take about as much room as the database. */
  readonly workDir: string;
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

/** A backup at one moment of the whole database. */
export interface Prepared {
  /** In the order of their keys. */
  readonly shards: readonly RestoredShard[];
  /** Removes what is on this machine. */
  remove(): Promise<void>;
}

/** The latest common cut, by shard. @throws BackupError not-found, damaged, unreachable */
export const cutOf = async (shards: readonly ShardFiles[], at: number | null): Promise<Cut> => {
  const bounds = new Map(shards.map(({ record, bounds }) => [record.name, bounds]));
  const places = inOrderOfTime(new Map(shards.map((shard) => [shard.record.name, shard.log()])));
  const cut = await findCut({ shards: bounds, places, at: at ?? Infinity });
  if (cut !== null) return cut;
  throw new BackupError(
    'not-found',
    'at this moment no transaction over several shards can be told whole: try a second later',
  );
};

/** The shards of a backup. */
export const shardFilesOf = (backup: Backup): readonly ShardFiles[] =>
  backup.manifest.shards.map((record) => new ShardFiles(backup, record));

/**
 * Restores a backup into stores on this machine, one for each shard. Every file that is needed is checked, and what every
 * snapshot means. When it fails, nothing is left.
 * @throws BackupError
 */
export const prepare = async (options: PrepareOptions): Promise<Prepared> => {
  const dir = await ownDirectory(options.workDir);
  const shards: RestoredShard[] = [];
  const remove = async (): Promise<void> => {
    await Promise.allSettled(shards.map(({ store }) => store.close()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await prepareAll(shards, dir, options);
    return { shards, remove };
  } catch (error) {
    await remove();
    throw error;
  }
};

/** A new directory: nothing that was there before is ever removed. */
const ownDirectory = async (workDir: string): Promise<string> => {
  try {
    await mkdir(workDir, { recursive: true });
    return await mkdtemp(join(workDir, 'quartet-restore-'));
  } catch (error) {
    throw new BackupError('storage', `${workDir} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
};

const prepareAll = async (shards: RestoredShard[], dir: string, options: PrepareOptions): Promise<void> => {
  const { backup, at, signal, tell } = options;
  const files = shardFilesOf(backup);
  // With one shard there is nothing to be torn apart, but where its log ends has to be found all the same.
  const cut = await cutOf(files, at);
  for (const each of files) shards.push(new RestoredShard(each, dir));
  await eachOf(shards, { atOnce: restoredAtOnce, signal }, async (shard, stop) => {
    const to = cut.get(shard.name) ?? 0;
    tell(`shard ${shard.name}: its snapshot, and its log up to entry ${to}`);
    await shard.takeSnapshot(stop);
    await shard.advance(to, stop);
  });
  const settlements = settle(new Map(shards.map(({ name, store }) => [name, store.notes])));
  for (const shard of shards) await shard.settle(settlements.get(shard.name) ?? { effects: [], forget: [] });
};
