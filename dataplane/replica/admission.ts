import { peekId } from '../log/entry.ts';
import type { LogExtent, StoredEntry } from '../log/replicated-log.ts';
import type { Position } from './state-machine.ts';

/** What a replica may do with its store and the log that it finds. */
export type Admission =
  /** Apply the log from this sequence on. */
  | { readonly kind: 'follow'; readonly from: number }
  /** Entries that the store needs are trimmed: get a snapshot from a peer. */
  | { readonly kind: 'rebuild'; readonly reason: string }
  /** The operator has not said yet which log it is. */
  | { readonly kind: 'wait'; readonly reason: string }
  /** The log is not the history of the store, or a shorter one: serve nothing. */
  | { readonly kind: 'halt'; readonly reason: string };

export interface AdmissionFacts {
  readonly position: Position | null;
  readonly extent: LogExtent;
  /** Creation time of the log that the operator made, as the directory says; null = not known. */
  readonly directory: string | null;
  /** The entry at the store's position; null when it is not in the log. */
  readonly entry: StoredEntry | null;
  /** Highest position of a live peer that could give a snapshot; 0 = there is none. */
  readonly peersAt: number;
}

/** An empty store that is this many entries behind a peer takes its snapshot: it holds each key once, the log each write. */
export const worthSnapshot = 10_000;

/** Decides whether a store and a log belong together. Pure. */
export function admit({ position, extent, directory, entry, peersAt }: AdmissionFacts): Admission {
  if (directory !== null && directory !== extent.created) {
    return halt(`the log was created ${extent.created}, but the operator made one at ${directory}: another history`);
  }
  if (position === null) return admitEmpty(extent, directory, peersAt);
  if (position.log !== extent.created) {
    return halt(`the log was recreated: the store follows the one of ${position.log}, found ${extent.created}`);
  }
  if (position.seq > extent.last) {
    return halt(`the store is at ${position.seq}, the log ends at ${extent.last}: entries were lost`);
  }
  if (position.seq + 1 < extent.first) {
    return { kind: 'rebuild', reason: `the store is at ${position.seq}, the log begins at ${extent.first}` };
  }
  if (entry !== null && peekId(entry.bytes) !== position.chain) {
    return halt(`entry ${position.seq} of the log is not the one that the store holds: another history`);
  }
  return { kind: 'follow', from: position.seq + 1 };
}

const halt = (reason: string): Admission => ({ kind: 'halt', reason });

/** An empty store would accept any log, a recreated one too: so the operator has to name the log. */
function admitEmpty(extent: LogExtent, directory: string | null, peersAt: number): Admission {
  if (directory === null) return { kind: 'wait', reason: 'the directory does not name the log yet' };
  if (extent.first > 1) return { kind: 'rebuild', reason: `the store is empty, the log begins at ${extent.first}` };
  if (peersAt >= worthSnapshot) return { kind: 'rebuild', reason: `the store is empty, a peer is at ${peersAt}` };
  return { kind: 'follow', from: 1 };
}
