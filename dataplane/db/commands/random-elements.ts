import type { Element, Range } from '../store/reading.ts';
import type { Collection } from './collection.ts';
import { randomPlace } from './hashed-name.ts';

/** An element is chosen among so many that follow a random place: gaps between places differ, their sums hardly. */
const neighbours = 16;

/** Above this share of a collection distinct elements are found by walking over all of it. */
const walkShare = 0.3;

/** The elements that lie behind a prefix of one character; all of them without. */
export const behind = (prefix: string): Range =>
  prefix === '' ? {} : { from: prefix, to: String.fromCharCode(prefix.charCodeAt(0) + 1) };

function* around(collection: Collection, prefix: string): Generator<Element> {
  const { from, to } = behind(prefix);
  const start = prefix + randomPlace();
  yield* collection.range({ from: start, to });
  yield* collection.range({ from, to: start });
}

/** A random element of a collection that is not empty. */
export const randomElement = (collection: Collection, prefix = ''): Element | undefined => {
  const found: Element[] = [];
  for (const element of around(collection, prefix)) {
    found.push(element);
    if (found.length === neighbours) break;
  }
  return found[Math.floor(Math.random() * found.length)];
};

const shuffled = <T>(items: T[]): T[] => {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
};

/** Up to `count` different random elements, in random order. */
export const randomElements = (collection: Collection, count: number, prefix = ''): Element[] => {
  if (count >= collection.count * walkShare) {
    return shuffled([...collection.range(behind(prefix))]).slice(0, count);
  }
  const found = new Map<string, Element>();
  while (found.size < count) {
    const element = randomElement(collection, prefix);
    if (element) found.set(element.name, element);
  }
  return [...found.values()];
};
