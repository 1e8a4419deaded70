import type { DbShardEntry } from '../../../contract/directory.ts';
import type { IncomingSnapshot } from '../../replica/snapshot-source.ts';
import { handedNote } from '../split/hand-over.ts';
import { intakeNote } from '../split/intake-note.ts';
import { decodeRange, keyOfText, rangeNote } from '../store/key-range.ts';
import { readSnapshot } from '../store/snapshot-codec.ts';
import { storing, type FileRecord } from './archive.ts';
import { BackupError, reasonOf } from './backup-error.ts';
import { openTransactionOf } from './consistency/transaction-event.ts';
import { ContentHash } from './content-hash.ts';
import type { OpenTransaction, ShardRecord } from './manifest.ts';
import { goOn } from './patience.ts';
import type { Repository } from './repository/repository.ts';

/** What is known of a shard once its snapshot was copied. */
export type CopiedSnapshot = Pick<ShardRecord, 'position' | 'snapshot' | 'content' | 'open'>;

/** While keys change hands neither shard has all that it will serve: a backup does not begin then. */
const splitNotes: ReadonlySet<string> = new Set([handedNote, intakeNote]);

/** Looks at the notes of a snapshot. Answers the transactions over several shards that are under way. */
const noteReader = ({ name: shard, start, end, epoch }: DbShardEntry, open: OpenTransaction[]) => {
  return (name: string, value: Buffer): void => {
    if (splitNotes.has(name)) {
      throw new BackupError('changed', `shard ${shard} is being split: try again when it is done`);
    }
    if (name === rangeNote) {
      const range = decodeRange(value);
      if (range.start === keyOfText(start) && range.end === keyOfText(end) && range.epoch === epoch) return;
      throw new BackupError('changed', `the range of shard ${shard} is changing: try again when it is done`);
    }
    const transaction = openTransactionOf(name, value);
    if (transaction !== null) open.push(transaction);
  };
};

async function* until(signal: AbortSignal, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    goOn(signal);
    yield chunk;
  }
}

/** Stores a snapshot, and hashes what it means on the way. @throws BackupError */
export const copySnapshot = async (
  shard: DbShardEntry,
  { position, chunks }: IncomingSnapshot,
  { files: repository, signal }: { readonly files: Repository; readonly signal: AbortSignal },
): Promise<CopiedSnapshot> => {
  const snapshot: FileRecord[] = [];
  const open: OpenTransaction[] = [];
  const path = (index: number): string => `${shard.name}/snapshot-${String(index).padStart(6, '0')}.zst`;
  const stored = storing(until(signal, chunks), { repository, path, files: snapshot });
  const hash = new ContentHash(0);
  try {
    await hash.snapshot(readSnapshot(stored), noteReader(shard, open));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BackupError('damaged', `the snapshot of shard ${shard.name}: ${reasonOf(error)}`, { cause: error });
  }
  return { position, snapshot, content: hash.take(), open };
};
