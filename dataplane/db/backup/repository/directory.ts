import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { BackupError, reasonOf } from '../backup-error.ts';
import { plainPath, type Repository } from './repository.ts';

/** Files that are being written end so; they are no files of the repository yet. */
const unfinished = '.unfinished';

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

const failure = (error: unknown, what: string): BackupError =>
  error instanceof BackupError ? error : new BackupError('storage', `${what}: ${reasonOf(error)}`, { cause: error });

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const writeNew = async (path: string, bytes: Buffer): Promise<void> => {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const readAtMost = async (path: string, maxBytes: number): Promise<Buffer> => {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes)
      throw new BackupError('damaged', `${path} has ${size} bytes, more than the ${maxBytes} it may have`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
};

/** Backups in a directory: a disk, or a file system that is mounted. Files are on the disk once they are written. */
export class DirectoryRepository implements Repository {
  readonly name: string;
  readonly #root: string;

  constructor(root: string) {
    this.#root = resolve(root);
    this.name = this.#root;
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    const target = this.#at(path);
    const draft = `${target}.${randomBytes(6).toString('hex')}${unfinished}`;
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeNew(draft, bytes);
      await rename(draft, target);
      await syncDirectory(dirname(target));
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw failure(error, `${target} cannot be written`);
    }
  }

  async read(path: string, maxBytes: number): Promise<Buffer | null> {
    const target = this.#at(path);
    try {
      return await readAtMost(target, maxBytes);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw failure(error, `${target} cannot be read`);
    }
  }

  async list(folder: string): Promise<readonly string[]> {
    const top = folder === '' ? this.#root : this.#at(folder);
    try {
      const found = await readdir(top, { recursive: true, withFileTypes: true });
      return found
        .filter((entry) => entry.isFile() && !entry.name.endsWith(unfinished))
        .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
        .sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw failure(error, `${top} cannot be listed`);
    }
  }

  async remove(path: string): Promise<void> {
    const target = this.#at(path);
    try {
      await rm(target, { force: true });
    } catch (error) {
      throw failure(error, `${target} cannot be removed`);
    }
    await this.#removeEmpty(dirname(target));
  }

  async removeAll(folder: string): Promise<void> {
    const target = this.#at(folder);
    try {
      await rm(target, { recursive: true, force: true });
    } catch (error) {
      throw failure(error, `${target} cannot be removed`);
    }
    await this.#removeEmpty(dirname(target));
  }

  /** Folders that are empty now go too. A folder that is not empty stays, and so do those above it. */
  async #removeEmpty(from: string): Promise<void> {
    const empty = (folder: string): Promise<boolean> =>
      rmdir(folder).then(
        () => true,
        () => false,
      );
    for (let folder = from; folder.startsWith(this.#root + sep); folder = dirname(folder)) {
      if (!(await empty(folder))) return;
    }
  }

  #at(path: string): string {
    return join(this.#root, plainPath(path));
  }
}
