import type { Layer } from './layer.ts';
import type { OrderedMap } from './ordered-map.ts';
import type { Element, NamedRow, Range, ReadState } from './reading.ts';
import type { Row } from './row.ts';

/** What a source says about a name; null: it is not there, whatever lower sources say. */
type Said<V> = readonly [name: string, value: V | null];

/** An ordered source, and the entry that is next in it. */
interface Head<V> {
  readonly iterator: Iterator<Said<V>>;
  entry: Said<V> | null;
}

const advance = <V>(head: Head<V>): void => {
  const next = head.iterator.next();
  head.entry = next.done === true ? null : next.value;
};

/** Every source that is at a name goes on. */
const pass = <V>(heads: readonly Head<V>[], name: string): void => {
  for (const head of heads) if (head.entry?.[0] === name) advance(head);
};

const before = (a: string, b: string, reverse: boolean): boolean => (reverse ? a > b : a < b);

/** The entry whose name comes first; of equal names that of the first source. */
const first = <V>(heads: readonly Head<V>[], reverse: boolean): Said<V> | null => {
  let found: Said<V> | null = null;
  for (const { entry } of heads) {
    if (entry !== null && (found === null || before(entry[0], found[0], reverse))) found = entry;
  }
  return found;
};

/** Entries of several ordered sources, in their order; of equal names the first source's counts. */
export function* mergeOrdered<V>(
  sources: readonly Iterable<Said<V>>[],
  reverse = false,
): Generator<readonly [string, V]> {
  const heads = sources.map((source): Head<V> => ({ iterator: source[Symbol.iterator](), entry: null }));
  heads.forEach(advance);
  try {
    for (let next = first(heads, reverse); next !== null; next = first(heads, reverse)) {
      pass(heads, next[0]);
      if (next[1] !== null) yield next as readonly [string, V];
    }
  } finally {
    for (const { iterator } of heads) iterator.return?.();
  }
}

const asSaid = function* <V>(entries: Iterable<V>, read: (entry: V) => Said<unknown>): Generator<Said<never>> {
  for (const entry of entries) yield read(entry) as Said<never>;
};

/** Elements of a collection with changes above them, the newest first. */
export function* overlaidElements(
  changes: readonly (OrderedMap<Buffer | null> | undefined)[],
  below: Iterable<Element>,
  range: Range,
): Generator<Element> {
  const tables = changes.filter((table) => table !== undefined && table.size > 0);
  if (tables.length === 0) return yield* below;
  const base: Iterable<Said<Buffer>> = asSaid(below, ({ name, value }) => [name, value]);
  const sources = [...tables.map((table) => table?.range(range) ?? []), base];
  for (const [name, value] of mergeOrdered<Buffer>(sources, range.reverse)) yield { name, value };
}

/** Number of elements in a range, with changes above a state that can count by itself. */
export const overlaidCount = (
  changes: readonly (OrderedMap<Buffer | null> | undefined)[],
  below: Pick<ReadState, 'element' | 'countElements'>,
  generation: number,
  range: Range,
): number => {
  let count = below.countElements(generation, range);
  const seen = new Set<string>();
  for (const table of changes) {
    for (const [name, value] of table?.range(range) ?? []) {
      if (seen.has(name)) continue;
      seen.add(name);
      count += (value === null ? 0 : 1) - (below.element(generation, name) === undefined ? 0 : 1);
    }
  }
  return count;
};

/** A state with layers of changes above it. */
export class Layered implements ReadState {
  /** The newest first; those below one that cleared everything are left out of reads of rows. */
  readonly #layers: () => readonly Layer[];
  readonly #base: () => ReadState;

  constructor(layers: () => readonly Layer[], base: () => ReadState) {
    this.#layers = layers;
    this.#base = base;
  }

  get(key: string): Row | undefined {
    for (const layer of this.#layers()) {
      const row = layer.rows.get(key);
      if (row !== undefined) return row ?? undefined;
      if (layer.cleared) return undefined;
    }
    return this.#base().get(key);
  }

  *rows(range: Range): Generator<NamedRow> {
    const sources: Iterable<Said<Row>>[] = [];
    let cleared = false;
    for (const layer of this.#layers()) {
      if (!cleared && layer.rows.size > 0) sources.push(layer.rows.range(range));
      cleared ||= layer.cleared;
    }
    if (!cleared) sources.push(asSaid(this.#base().rows(range), ({ key, row }) => [key, row]));
    for (const [key, row] of mergeOrdered<Row>(sources, range.reverse)) yield { key, row };
  }

  element(generation: number, name: string): Buffer | undefined {
    for (const { elements } of this.#layers()) {
      const value = elements.size > 0 ? elements.get(generation)?.get(name) : undefined;
      if (value !== undefined) return value ?? undefined;
    }
    return this.#base().element(generation, name);
  }

  elements(generation: number, range: Range): Iterable<Element> {
    return overlaidElements(this.#changes(generation), this.#base().elements(generation, range), range);
  }

  countElements(generation: number, range: Range): number {
    return overlaidCount(this.#changes(generation), this.#base(), generation, range);
  }

  #changes(generation: number): (OrderedMap<Buffer | null> | undefined)[] {
    return this.#layers().map(({ elements }) => elements.get(generation));
  }
}
