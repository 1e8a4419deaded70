import { BackupError } from '../backup-error.ts';

/**
 * A place that holds backups: files under plain paths (see {@link isPlainPath}) relative to it. All files are small
 * enough to be in memory: whoever has more writes several.
 */
export interface Repository {
  /** For people: where it is, without any secret. */
  readonly name: string;
  /** Writes a file: it is there whole, and stays after a loss of power, or is as before. @throws BackupError storage, unreachable */
  write(path: string, bytes: Buffer): Promise<void>;
  /** A file; null when it is missing. @throws BackupError damaged when it is larger; storage, unreachable */
  read(path: string, maxBytes: number): Promise<Buffer | null>;
  /** Paths of all files under a folder, '' = all, in order. @throws BackupError storage, unreachable */
  list(folder: string): Promise<readonly string[]>;
  /** Removes a file; gone already is fine. @throws BackupError storage, unreachable */
  remove(path: string): Promise<void>;
  /** Removes a folder with all that is below it, also what was half written; gone already is fine. @throws BackupError storage, unreachable */
  removeAll(folder: string): Promise<void>;
}

/**
 * Whether a path is one that a backup may use: names of letters, digits, `.`, `_` and `-` that begin with a letter or a
 * digit, joined by `/`. So none climbs out of its folder, whoever wrote it.
 */
export const isPlainPath = (path: string): boolean => /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/.test(path);

/** @throws BackupError invalid when a path is not plain */
export const plainPath = (path: string): string => {
  if (isPlainPath(path)) return path;
  throw new BackupError('invalid', `${JSON.stringify(path)} is not a path of a backup`);
};

/** A folder of a repository as a repository of its own. */
export const folderOf = (repository: Repository, folder: string): Repository => {
  const within = (path: string): string => `${plainPath(folder)}/${path}`;
  return {
    name: `${repository.name}/${folder}`,
    write: (path, bytes) => repository.write(within(path), bytes),
    read: (path, maxBytes) => repository.read(within(path), maxBytes),
    list: async (path) => {
      const found = await repository.list(path === '' ? folder : within(path));
      return found.map((each) => each.slice(folder.length + 1));
    },
    remove: (path) => repository.remove(within(path)),
    removeAll: (path) => repository.removeAll(path === '' ? folder : within(path)),
  };
};
