import { readSnapshot } from '../../store/snapshot-codec.ts';
import { BackupError, reasonOf } from '../backup-error.ts';
import { ContentHash } from '../content-hash.ts';
import { filesOf, type Backup } from '../manifest.ts';
import { goOn } from '../patience.ts';
import { cutOf, shardFilesOf } from './prepare.ts';
import type { ShardFiles } from './restored-shard.ts';

/** What was read. */
export interface Checked {
  readonly files: number;
  readonly bytes: number;
  /** In the snapshots. */
  readonly keys: number;
  readonly entries: number;
}

const checkShard = async (shard: ShardFiles, signal: AbortSignal): Promise<number> => {
  const { content, name, position } = shard.record;
  const hash = new ContentHash(0);
  try {
    await hash.snapshot(readSnapshot(shard.snapshot()), () => goOn(signal));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BackupError('damaged', `the snapshot of shard ${name} is damaged: ${reasonOf(error)}`, { cause: error });
  }
  const found = hash.take();
  if (found.hash !== content.hash || found.keys !== content.keys) {
    throw new BackupError(
      'damaged',
      `the snapshot of shard ${name} has another content than the one that was backed up`,
    );
  }
  let last = position.seq;
  for await (const place of shard.log()) {
    goOn(signal);
    last = place.position.seq;
  }
  return last - position.seq;
};

/**
 * Reads a whole backup: every file is the one that was written, every snapshot means what was backed up, every log follows
 * its snapshot without a gap, and there is a moment at which no transaction is half there. Writes nothing.
 * @throws BackupError damaged, newer, not-found, storage, unreachable
 */
export const checkBackup = async (backup: Backup, at: number | null, signal: AbortSignal): Promise<Checked> => {
  const shards = shardFilesOf(backup);
  let entries = 0;
  for (const shard of shards) entries += await checkShard(shard, signal);
  await cutOf(shards, at);
  const files = filesOf(backup.manifest);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    files: files.length,
    bytes,
    keys: backup.manifest.shards.reduce((sum, { content }) => sum + content.keys, 0),
    entries,
  };
};
