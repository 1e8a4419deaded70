import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What is kept between runs and shared by all checkouts: the kubeconfig, and the state of a Docker that we started. */
export const cacheFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'quartet', 'kind');
/** The kubeconfig of the cluster. */
export const kubeconfig = join(cacheFolder, 'kubeconfig');

/** Files below a folder, sorted; the folder itself if it is a file. */
const filesOf = async (path: string): Promise<string[]> => {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
};

/**
 * A short name for the content of files and folders, and of words: other content, other name.
 * @param root paths count relative to it, so that a checkout elsewhere gives the same name
 */
export const contentHash = async (
  root: string,
  paths: readonly string[],
  words: readonly string[] = [],
): Promise<string> => {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`${word}\0`);
  for (const path of paths) {
    for (const file of await filesOf(join(root, path))) {
      hash.update(`${file.slice(root.length)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 12);
};
