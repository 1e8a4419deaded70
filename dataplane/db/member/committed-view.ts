import type { View } from '../commands/view.ts';
import { DbError } from '../db-error.ts';
import type { ReadState } from '../store/reading.ts';

const refuse = (): never => {
  throw new DbError('ERR', 'this member only reads');
};

/** What commands that read work on when there is nothing but a committed state. */
export const committedView = (state: Omit<ReadState, 'rows'>, now: number): View => ({
  now,
  get(key) {
    const row = state.get(key);
    return row && row.expireAt !== 0 && row.expireAt <= now ? undefined : row;
  },
  element: (generation, name) => state.element(generation, name),
  elements: (generation, range) => state.elements(generation, range),
  countElements: (generation, range) => state.countElements(generation, range),
  put: refuse,
  remove: refuse,
  expire: refuse,
  clear: refuse,
  setElement: refuse,
  newGeneration: refuse,
});
