import type { View } from '../commands/view.ts';

const refuse = (): never => {
  throw new Error('this command has no keys');
};

/** The view of commands without keys. */
export const nothing: View = {
  now: 0,
  get: refuse,
  put: refuse,
  remove: refuse,
  expire: refuse,
  clear: refuse,
  element: refuse,
  elements: refuse,
  countElements: refuse,
  setElement: refuse,
  newGeneration: refuse,
};
