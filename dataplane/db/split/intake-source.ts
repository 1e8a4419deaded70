import type { CommittedEntry, Position } from '../../replica/state-machine.ts';
import type { SnapshotRecord } from '../store/snapshot-codec.ts';
import type { HandOver } from './hand-over.ts';
import type { GivenAway } from './source.ts';

/** The shard that has the keys, as the one sees it that takes them over. Each call may fail, and is then made again. */
export interface Source {
  /** All that it holds, at one place of its log. */
  snapshot(): Promise<{ readonly position: Position; readonly records: AsyncIterable<SnapshotRecord> }>;
  /** Some of the committed entries after a place; null: its log does not reach back so far, or is another one. */
  entries(after: Position): Promise<SourcePage | null>;
  /** See `SplitSource.handOver`. */
  handOver(asked: HandOver): Promise<GivenAway>;
  /** See `SplitSource.release`. */
  release(asked: Pick<HandOver, 'to' | 'epoch'>): Promise<void>;
  /** See `SplitSource.bar`. */
  bar(asked: Pick<HandOver, 'to' | 'epoch'> & { readonly since: number }): Promise<{ readonly handed: boolean }>;
}

/** A committed entry, and where one is in the log who has it. */
export interface SourceEntry {
  readonly operations: CommittedEntry['operations'];
  readonly position: Position;
}

export interface SourcePage {
  readonly entries: readonly SourceEntry[];
  /** Nothing up to here is left out. */
  readonly position: Position;
  /** Whether the log goes on. */
  readonly more: boolean;
}
