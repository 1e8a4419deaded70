import type { EncodedEntry, Entry } from '../log/entry.ts';
import type { Proposal } from './proposal-queue.ts';

/** An entry that was sent and is not applied yet. */
export interface Flight {
  /** The place that it was written for. */
  readonly seq: number;
  /** Its id, which the next entry names. */
  readonly chain: string;
  readonly encoded: EncodedEntry;
  readonly entry: Entry;
  readonly proposals: readonly Proposal[];
  /** Monotonic, before the first attempt. */
  readonly sentAt: number;
}
