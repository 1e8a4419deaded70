import { decodeEntry } from '../../log/entry.ts';
import { extend, historyOf, positionOf, type History } from '../../replica/history.ts';
import type { CommittedEntry, Position } from '../../replica/state-machine.ts';
import { loadFile } from './archive.ts';
import { BackupError } from './backup-error.ts';
import { decodePart } from './log-part.ts';
import type { LogPart } from './manifest.ts';
import type { Repository } from './repository/repository.ts';

/** One place of a log. */
export interface Replayed {
  readonly position: Position;
  /** Null: a term, or an entry that does not count. */
  readonly entry: CommittedEntry | null;
}

/** What the next entry of a log is, as every replica sees it. @throws BackupError damaged, when no replica could read it */
export const judge = (history: History, bytes: Uint8Array): { history: History; entry: CommittedEntry | null } => {
  const { history: next, verdict } = extend(history, decodeEntry(bytes));
  if (verdict.kind === 'unreadable') {
    const why = verdict.reason === 'newer' ? 'was written by a newer version' : 'is damaged';
    throw new BackupError(verdict.reason === 'newer' ? 'newer' : 'damaged', `entry ${next.seq} of a log ${why}`);
  }
  if (verdict.kind !== 'data') return { history: next, entry: null };
  const { term, operations } = verdict.entry;
  return { history: next, entry: { seq: next.seq, term, time: next.time, operations } };
};

/** The log of a shard behind its snapshot, place by place; one part is in memory. @throws BackupError damaged, unreachable */
export async function* replay(
  repository: Repository,
  from: Position,
  parts: readonly LogPart[],
): AsyncGenerator<Replayed> {
  let history = historyOf(from);
  for (const { first, last, file } of parts) {
    if (first !== history.seq + 1) throw new BackupError('damaged', `entry ${history.seq + 1} is not in the backup`);
    for (const { bytes } of decodePart(await loadFile(repository, file), first)) {
      const judged = judge(history, bytes);
      history = judged.history;
      yield { position: positionOf(history, from.log), entry: judged.entry };
    }
    if (history.seq !== last) throw new BackupError('damaged', `${file.path} does not end with entry ${last}`);
  }
}
