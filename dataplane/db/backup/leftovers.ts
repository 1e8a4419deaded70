import { listFolders, timeOf } from './manifest.ts';
import type { Repository } from './repository/repository.ts';

/** While a new backup is being made its folder holds a file that says when that was last so. It is written so often, milliseconds. */
const markEveryMs = 10 * 60_000;
/** What is no backup and was not written to for so long is what a run left that was killed, milliseconds. */
const goneAfterMs = 24 * 3_600_000;
const markName = 'running';
const maxMarkBytes = 100;

/** Says of a folder that a backup is being made in it. */
export class RunningMark {
  readonly #files: Repository;
  #timer: NodeJS.Timeout | null = null;

  constructor(files: Repository) {
    this.#files = files;
  }

  /** @throws BackupError */
  async set(): Promise<void> {
    await this.#write();
    this.#timer = setInterval(() => void this.#write().catch(() => {}), markEveryMs);
  }

  /** What was made is a backup now, or is removed. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** @throws BackupError */
  async clear(): Promise<void> {
    this.stop();
    await this.#files.remove(markName);
  }

  #write(): Promise<void> {
    return this.#files.write(markName, Buffer.from(new Date().toISOString()));
  }
}

/** Whether a folder without a manifest is what a killed run left. Pure. @param marked its mark */
export const isLeft = (folder: string, marked: string | null, now: number): boolean =>
  Math.max(timeOf(folder), Date.parse(marked ?? '') || 0) < now - goneAfterMs;

const markOf = async (repository: Repository, folder: string): Promise<string | null> =>
  (await repository.read(`${folder}/${markName}`, maxMarkBytes))?.toString() ?? null;

/**
 * Removes what killed runs left of the backups of a database. What is younger than a day stays: somebody may be at it.
 * Answers the folders. @throws BackupError
 */
export const removeLeft = async (repository: Repository, database: string, now: number): Promise<string[]> => {
  const removed: string[] = [];
  for (const folder of (await listFolders(repository, database)).unfinished) {
    if (!isLeft(folder, null, now) || !isLeft(folder, await markOf(repository, folder), now)) continue;
    await repository.removeAll(folder);
    removed.push(folder);
  }
  return removed;
};
