import { decodeEntry } from '../../log/entry.ts';
import { LogError } from '../../log/log-error.ts';
import type { ReplicatedLog, StoredEntry } from '../../log/replicated-log.ts';
import { extend, historyOf, positionOf } from '../../replica/history.ts';
import type { Position } from '../../replica/state-machine.ts';
import { DbError } from '../db-error.ts';
import type { SourceEntry, SourcePage } from './intake-source.ts';

/** Read from the log at once. */
const limit = { entries: 512, bytes: 4 * 1024 * 1024 } as const;

/** Null: the first of them is no longer there. */
const readAfter = async (log: Pick<ReplicatedLog, 'read'>, seq: number): Promise<readonly StoredEntry[] | null> => {
  try {
    return await log.read(seq + 1, limit);
  } catch (error) {
    if (error instanceof LogError && error.code === 'trimmed') return null;
    throw error;
  }
};

/**
 * The committed entries that follow a place in another shard's log, some of them; null: the log does not reach back so
 * far, or is another one. Which entries count follows from the place, as it does for the shard's own replicas.
 * @throws DbError ERR when an entry was written by a newer version or is damaged; LogError when the log is away
 */
export const pageAfter = async (
  log: Pick<ReplicatedLog, 'extent' | 'read'>,
  after: Position,
): Promise<SourcePage | null> => {
  const { created, first, last } = await log.extent();
  if (created !== after.log || after.seq + 1 < first || after.seq > last) return null;
  const stored = after.seq < last ? await readAfter(log, after.seq) : [];
  if (stored === null) return null;
  let history = historyOf(after);
  const entries: SourceEntry[] = [];
  for (const { bytes } of stored) {
    const judged = extend(history, decodeEntry(bytes));
    history = judged.history;
    const { verdict } = judged;
    if (verdict.kind === 'unreadable') {
      throw new DbError('ERR', `entry ${history.seq} of the shard that is split cannot be read (${verdict.reason})`);
    }
    if (verdict.kind !== 'data') continue;
    entries.push({ operations: verdict.entry.operations, position: positionOf(history, created) });
  }
  return { entries, position: positionOf(history, created), more: history.seq < last };
};
