import { keyOfText } from '../store/key-range.ts';
import { BackupError } from './backup-error.ts';
import { isSameShape, makeFullBackup, type BackupOptions } from './full-backup.ts';
import { LogRecorder } from './log-recorder.ts';
import { removeLeft } from './leftovers.ts';
import {
  filesOf,
  listBackups,
  momentsOf,
  readBackup,
  removeBackup,
  writeManifest,
  type Backup,
  type Manifest,
} from './manifest.ts';
import type { Repository } from './repository/repository.ts';
import { takeRound } from './round.ts';

/** What one backup did. */
export interface Written {
  readonly backup: Backup;
  /** Whether it went on with an earlier one. */
  readonly continued: boolean;
  /** In the repository, of this run. */
  readonly bytes: number;
  /** Folders of backups that were removed, because there are newer ones. */
  readonly removed: readonly string[];
  /** Folders of what killed runs had left, which were removed. */
  readonly left: readonly string[];
  /** The first moment that the oldest backup can be restored to, milliseconds since 1970. */
  readonly from: number;
}

export interface BackUpOptions extends BackupOptions {
  /** So many of the newest backups stay, each with all that it was gone on with; null: all. */
  readonly keep: number | null;
  /** A backup that was begun so long ago is not gone on with, milliseconds; null: however old it is. */
  readonly renewAfterMs: number | null;
}

/** A log that is longer than the snapshot it follows costs more to restore than a new snapshot: but not if both are small. */
const smallLogBytes = 256 * 1024 * 1024;

const rawBytes = (manifest: Manifest): { snapshot: number; log: number } => {
  const sum = (files: readonly { readonly rawBytes: number }[]): number =>
    files.reduce((total, file) => total + file.rawBytes, 0);
  const snapshot = sum(manifest.shards.flatMap((shard) => shard.snapshot));
  return { snapshot, log: sum(filesOf(manifest)) - snapshot };
};

/** A backup that was gone on with so often is made anew: its manifest is read and written each time. */
const maxRounds = 2_000;

/** Whether a backup is to be gone on with rather than made anew, as far as its size and its age tell. Pure. */
export const isWorthContinuing = (manifest: Manifest, renewAfterMs: number | null, now: number): boolean => {
  const { snapshot, log } = rawBytes(manifest);
  if (manifest.rounds.length >= maxRounds) return false;
  if (renewAfterMs !== null && now - Date.parse(manifest.began) >= renewAfterMs) return false;
  return log <= Math.max(snapshot, smallLogBytes);
};

const ownFolder = ({ source, database }: BackupOptions): string => `${source.namespace}/${database}`;

/** Copies the logs behind what a backup has. @throws BackupError changed, when they do not reach back to it */
const extend = async ({ manifest, files }: Backup, options: BackupOptions): Promise<Backup> => {
  const { source, signal, tell } = options;
  const before = manifest.rounds.at(-1)?.shards ?? {};
  const recorders = manifest.shards.map(({ name, start, end, epoch, position }) => {
    const range = { start: keyOfText(start), end: keyOfText(end), epoch };
    const after = before[name]?.last ?? position;
    return new LogRecorder({ shard: name, range, log: source.logOf(name), after, files });
  });
  tell(`going on with ${manifest.id}`);
  const round = await takeRound(recorders, { wall: () => source.wall(), signal });
  const backup = { files, manifest: { ...manifest, rounds: [...manifest.rounds, round] } };
  await writeManifest(backup);
  return backup;
};

/** Goes on with the newest backup, if that can be done. Null: it cannot, a new one is due. @throws BackupError */
const extendNewest = async (folders: readonly string[], options: BackUpOptions): Promise<Backup | null> => {
  const { repository, source, database, tell, renewAfterMs } = options;
  const newest = folders.at(-1);
  if (newest === undefined) return null;
  try {
    const backup = await readBackup(repository, newest);
    if (!isWorthContinuing(backup.manifest, renewAfterMs, Date.now())) return null;
    if (!isSameShape(source.shards(database), backup.manifest.shards)) return null;
    return await extend(backup, options);
  } catch (error) {
    const anew = error instanceof BackupError && (error.code === 'changed' || error.code === 'damaged');
    if (!anew) throw error;
    tell(`${newest} is not gone on with: ${error.message}`);
    return null;
  }
};

const bytesOf = (manifest: Manifest): number => filesOf(manifest).reduce((total, { bytes }) => total + bytes, 0);

const lastRoundBytes = ({ rounds }: Manifest): number =>
  Object.values(rounds.at(-1)?.shards ?? {}).reduce(
    (sum, { parts }) => sum + parts.reduce((all, { file }) => all + file.bytes, 0),
    0,
  );

/** Removes what is older than the newest backups. What is left of it when that fails is removed the next time. */
const removeOld = async (
  repository: Repository,
  folders: readonly string[],
  keep: number | null,
): Promise<string[]> => {
  const old = keep === null ? [] : folders.slice(0, Math.max(0, folders.length - keep));
  for (const folder of old) await removeBackup(repository, folder);
  return old;
};

/** The first moment of the oldest backup that can be read. @throws BackupError storage, unreachable */
const earliest = async (repository: Repository, folders: readonly string[]): Promise<number | null> => {
  for (const folder of folders) {
    try {
      return momentsOf((await readBackup(repository, folder)).manifest).from;
    } catch (error) {
      if (!(error instanceof BackupError) || (error.code !== 'damaged' && error.code !== 'newer')) throw error;
    }
  }
  return null;
};

/**
 * Backs a database up: goes on with the log of the newest backup in the repository, or makes a new one when there is none,
 * when its log has grown longer than the database, or when the log or the shards are others.
 * @throws BackupError: what was there before is as it was
 */
export const backUp = async (options: BackUpOptions): Promise<Written> => {
  const { repository, keep } = options;
  const own = ownFolder(options);
  const extended = await extendNewest(await listBackups(repository, own), options);
  const backup = extended ?? (await makeFullBackup(options));
  const { manifest } = backup;
  const folders = await listBackups(repository, own);
  const removed = await removeOld(repository, folders, keep);
  const left = await removeLeft(repository, own, Date.now());
  const from = (await earliest(repository, folders.slice(removed.length))) ?? manifest.from;
  const bytes = extended ? lastRoundBytes(manifest) : bytesOf(manifest);
  return { backup, continued: extended !== null, bytes, removed, left, from };
};
