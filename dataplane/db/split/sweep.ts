import type { Executor } from '../member/executor.ts';
import { everything, straysNote } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import { handedNote } from './hand-over.ts';
import { intakeNote } from './intake-note.ts';
import { silentNote } from './silent.ts';

/** Keys that one pass removes. */
const sweepPass = 500;

/** Keys of a store that are not in the range of its shard. */
export const strays = function* (store: Pick<Store, 'rows' | 'keyRange'>): Iterable<string> {
  const { start, end } = store.keyRange ?? everything;
  if (start !== '') for (const { key } of store.rows({ to: start })) yield key;
  if (end !== '') for (const { key } of store.rows({ from: end })) yield key;
};

/**
 * Removes some keys that are another shard's since a split, through the log; runs on a primary. Answers whether there
 * may be more. While a new shard may have to copy them again they stay.
 */
export const sweep = async (
  executor: Pick<Executor, 'inOrder'>,
  store: Pick<Store, 'rows' | 'keyRange' | 'notes'>,
): Promise<boolean> => {
  const { notes } = store;
  if (!notes.has(straysNote) || notes.has(handedNote) || notes.has(intakeNote)) return false;
  await executor.inOrder(({ state }) => {
    // What clients removed must not be taken for swept: it is an operation of its own.
    if (!state.openIsEmpty) return;
    let removed = 0;
    state.setNote(silentNote, Buffer.alloc(0));
    for (const key of strays(store)) {
      state.remove(key);
      if (++removed === sweepPass) break;
    }
    if (removed > 0) return;
    state.forgetNote(silentNote);
    state.forgetNote(straysNote);
  });
  return true;
};
