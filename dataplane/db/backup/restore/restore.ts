import type { Router } from '../../gateway/router.ts';
import { BackupError } from '../backup-error.ts';
import type { Manifest } from '../manifest.ts';
import type { Source } from '../source.ts';
import { Claim } from './claim.ts';
import { loadStores } from './load.ts';
import { prepare, type PrepareOptions, type Prepared } from './prepare.ts';
import { Target } from './target.ts';
import { verify } from './verify.ts';

export interface RestoreOptions extends PrepareOptions {
  /** Where the new database is. */
  readonly source: Pick<Source, 'shards' | 'snapshot' | 'wall'>;
  readonly router: Router;
  /** Name of the new database. */
  readonly database: string;
}

/** What a restore did. */
export interface Restored {
  readonly keys: number;
  readonly bytes: number;
}

/** How often progress is told, milliseconds. */
const tellEveryMs = 5_000;

/** The shards that are to be there. @throws BackupError not-found with what to do */
const mustExist = ({ source, database, backup }: RestoreOptions): void => {
  try {
    source.shards(database);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'not-found') throw error;
    throw new BackupError('not-found', `${error.message}. Make it first: ${adviceFor(backup.manifest, database)}`, {
      cause: error,
    });
  }
};

const adviceFor = ({ shards }: Manifest, database: string): string => {
  const ranges = shards.map(({ start, end }) => JSON.stringify({ start, end })).join(', ');
  return `DBShards with spec.database ${database}, which together have all keys; those that were backed up had the ranges ${ranges}`;
};

/**
 * Restores a backup into a new database: first into stores on this machine, where all is checked; then key by key into the
 * database, whose own content is compared by hash in the end. Until then the database holds a record that it is not whole
 * (`claim.ts`); a restore that was interrupted is run again, and begins anew.
 * @throws BackupError
 */
export const restore = async (options: RestoreOptions): Promise<Restored> => {
  mustExist(options);
  const prepared = await prepare(options);
  try {
    return await write(prepared, options);
  } finally {
    await prepared.remove();
  }
};

const write = async (prepared: Prepared, options: RestoreOptions): Promise<Restored> => {
  const { router, database, source, backup, signal, tell } = options;
  const target = new Target(router, database);
  const wall = (): number => source.wall();
  const claim = new Claim({ target, backup: backup.manifest.id, wall, signal });
  await claim.take();
  const loaded = { keys: 0, bytes: 0 };
  const timer = setInterval(() => tell(`${loaded.keys} keys are written, ${loaded.bytes} bytes`), tellEveryMs);
  try {
    const stop = AbortSignal.any([signal, claim.lost]);
    const stores = prepared.shards.map(({ store }) => store);
    await loadStores(stores, { target, now: wall, signal: stop, loaded });
    tell(`${loaded.keys} keys are written, ${loaded.bytes} bytes; reading them again`);
    const keys = await verify({ target, source, stores, signal: stop });
    await claim.release();
    return { keys, bytes: loaded.bytes };
  } finally {
    clearInterval(timer);
    claim.leave();
  }
};
