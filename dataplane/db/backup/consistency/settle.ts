import { decodeNote, transactionOf } from '../../two-phase/note.ts';

/** What is to be done with the notes of a shard. */
export interface Settlement {
  /** Effects of parts that are to be carried out, in the form of an operation. */
  readonly effects: readonly Buffer[];
  /** Names of all notes about transactions: none is left. */
  readonly forget: readonly string[];
}

const committedIn = (notes: ReadonlyMap<string, Buffer> | undefined, name: string): boolean => {
  const bytes = notes?.get(name);
  return bytes !== undefined && decodeNote(bytes).state === 'committed';
};

/**
 * Finishes the transactions that are under way at a common cut (`cut.ts`), by the notes of its shards: each is carried
 * out in all shards, or in none. Its anchor's note says which: a part that is prepared belongs to the cut if the anchor
 * has committed. An anchor without a note has given it up; it cannot have forgotten a commit while a part is prepared. Pure.
 */
export const settle = (shards: ReadonlyMap<string, ReadonlyMap<string, Buffer>>): ReadonlyMap<string, Settlement> => {
  const settled = new Map<string, Settlement>();
  for (const [shard, notes] of shards) {
    const effects: Buffer[] = [];
    const forget: string[] = [];
    for (const [name, bytes] of notes) {
      if (transactionOf(name) === null) continue;
      forget.push(name);
      const note = decodeNote(bytes);
      if (note.state === 'prepared' && committedIn(shards.get(note.anchor), name)) effects.push(note.effects);
    }
    settled.set(shard, { effects, forget });
  }
  return settled;
};
