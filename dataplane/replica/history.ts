import { genesis, type Decoded, type Entry } from '../log/entry.ts';
import type { Position } from './state-machine.ts';

/** What a prefix of the log amounts to, as far as terms are concerned. The same on every replica. */
export interface History {
  /** Sequence of the last entry of the prefix. */
  readonly seq: number;
  /** Highest term in it. */
  readonly term: number;
  /** Who owns the term; null when nobody did yet, or it was before this replica's store began. */
  readonly writer: string | null;
  /** Its owner gave the term up, and with it the lease. */
  readonly resigned: boolean;
  /** Id of the last entry. */
  readonly chain: string;
  /** Log time, milliseconds: the highest time of an entry that counts. */
  readonly time: number;
}

/**
 * What an entry is at its place.
 * - void: it is there, but counts for nothing: of an older term, written for another place, or not an entry of ours.
 *   A deposed primary's late appends end here.
 * - unreadable: it may count, but this program cannot tell: stop.
 */
export type Verdict =
  | { readonly kind: 'data' | 'term' | 'resign'; readonly entry: Entry }
  | { readonly kind: 'void'; readonly reason: 'foreign' | 'older-term' | 'other-place' | 'not-newer' }
  | { readonly kind: 'unreadable'; readonly reason: 'newer' | 'corrupt' };

export const emptyHistory: History = { seq: 0, term: 0, writer: null, resigned: false, chain: genesis, time: 0 };

/** The history that a store contains. */
export const historyOf = (position: Position | null): History =>
  position === null
    ? emptyHistory
    : {
        seq: position.seq,
        term: position.term,
        writer: null,
        resigned: false,
        chain: position.chain,
        time: position.time,
      };

/** The position that a store has once it holds this history. */
export const positionOf = (history: History, log: string): Position => ({
  seq: history.seq,
  term: history.term,
  log,
  chain: history.chain,
  time: history.time,
});

/** Adds the next entry of the log. Pure; whatever uses terms goes through here. */
export function extend(history: History, decoded: Decoded): { history: History; verdict: Verdict } {
  const verdict = judge(history, decoded);
  const chain = decoded.ok ? decoded.entry.id : decoded.id;
  const next = { ...history, seq: history.seq + 1, chain };
  if (verdict.kind === 'void' || verdict.kind === 'unreadable') return { history: next, verdict };
  const { entry } = verdict;
  const time = Math.max(history.time, entry.time);
  switch (verdict.kind) {
    case 'data':
      return { history: { ...next, time }, verdict };
    case 'term':
      return { history: { ...next, time, term: entry.term, writer: entry.writer, resigned: false }, verdict };
    case 'resign':
      return { history: { ...next, time, resigned: true }, verdict };
  }
}

function judge(history: History, decoded: Decoded): Verdict {
  if (!decoded.ok) {
    return decoded.reason === 'foreign'
      ? { kind: 'void', reason: 'foreign' }
      : { kind: 'unreadable', reason: decoded.reason };
  }
  const { entry } = decoded;
  if (entry.kind === 'term' && entry.term <= history.term) return { kind: 'void', reason: 'not-newer' };
  if (entry.kind !== 'term' && entry.term !== history.term) return { kind: 'void', reason: 'older-term' };
  if (entry.previous !== history.chain) return { kind: 'void', reason: 'other-place' };
  return { kind: entry.kind, entry };
}
