import { BackupError } from '../backup-error.ts';
import { listBackups, momentsOf, readBackup, type Backup } from '../manifest.ts';
import type { Repository } from '../repository/repository.ts';

const databaseOf = (folder: string): string => folder.split('/').slice(0, 2).join('/');
const show = (ms: number): string => new Date(ms).toISOString();

/** The one database that there are backups of, or the one that was named: `name`, or `namespace/name`. @throws BackupError */
const foldersOf = async (repository: Repository, database: string | null): Promise<readonly string[]> => {
  const all = await listBackups(repository);
  if (all.length === 0) throw new BackupError('not-found', `${repository.name} holds no finished backup`);
  const names = [...new Set(all.map(databaseOf))];
  const wanted = database === null ? names : names.filter((name) => name === database || name.endsWith(`/${database}`));
  const [name] = wanted;
  if (name !== undefined && wanted.length === 1) return all.filter((folder) => databaseOf(folder) === name);
  const what = `${repository.name} holds backups of ${names.join(', ')}`;
  throw new BackupError(
    'not-found',
    database === null
      ? `${what}: say which, with --database`
      : `${what}: ${database} is ${wanted.length === 0 ? 'not one of them' : 'more than one of them'}`,
  );
};

/** What is to be restored. */
export interface Wanted {
  /** Null: the only one that there is. */
  readonly database: string | null;
  /** Milliseconds since 1970; null: the end of the newest backup. */
  readonly at: number | null;
}

/**
 * The newest backup that reaches a moment.
 * @throws BackupError not-found, with the moments that there are; damaged, newer, storage, unreachable
 */
export const chooseBackup = async (repository: Repository, { database, at }: Wanted): Promise<Backup> => {
  const folders = await foldersOf(repository, database);
  let next: string | null = null;
  for (const folder of folders.toReversed()) {
    const backup = await readBackup(repository, folder);
    const { from, to } = momentsOf(backup.manifest);
    if (at === null || (at >= from && at <= to)) return backup;
    if (at > to) {
      const after = next === null ? 'nothing is known of what came later' : `the next one begins at ${next}`;
      throw new BackupError('not-found', `${show(at)} is after the end of backup ${folder}, ${show(to)}: ${after}`);
    }
    next = show(from);
  }
  throw new BackupError(
    'not-found',
    `${at === null ? '' : show(at)} is before the first backup, which begins at ${next ?? ''}`,
  );
};

/** A moment as people write it; a second means that second to its end. Milliseconds since 1970. @throws BackupError invalid */
export const momentOf = (text: string): number => {
  const at = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(at)) {
    return /:\d\d\.\d/.test(text) ? at : at + 999;
  }
  throw new BackupError('invalid', `${text} is not a moment such as 2026-11-24T12:00:05Z`);
};
