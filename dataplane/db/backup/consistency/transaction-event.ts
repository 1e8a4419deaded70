import type { CommittedEntry } from '../../../replica/state-machine.ts';
import { applyEffects, ignoring } from '../../store/effects.ts';
import { decodeNote, transactionOf } from '../../two-phase/note.ts';
import type { OpenTransaction } from '../manifest.ts';

/** What an entry of a shard's log says about a transaction over several shards. */
export type TransactionEvent =
  /** Prepared there; or committed there, which only its anchor says. */
  | OpenTransaction
  /** Its note went: carried out or given up there; at an anchor that committed it: everybody has carried it out. */
  | { readonly id: string; readonly state: 'over' };

/** What a note says about a transaction; null when it is about something else. */
export const openTransactionOf = (name: string, value: Buffer): OpenTransaction | null => {
  const id = transactionOf(name);
  if (id === null) return null;
  const { state, anchor, participants } = decodeNote(value);
  return { id, state, anchor, participants: [...participants] };
};

/** The events of an entry, in order. */
export const transactionEvents = ({ operations }: Pick<CommittedEntry, 'operations'>): TransactionEvent[] => {
  const events: TransactionEvent[] = [];
  const note = (name: string, value: Buffer): void => {
    const event = openTransactionOf(name, value);
    if (event !== null) events.push(event);
  };
  const forget = (name: string): void => {
    const id = transactionOf(name);
    if (id !== null) events.push({ id, state: 'over' });
  };
  for (const operation of operations) applyEffects(operation, { ...ignoring, note, forget });
  return events;
};
