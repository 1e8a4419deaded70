import type { Range } from './reading.ts';

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** First index of a sorted list whose name is not before `name`. */
const lowerBound = (sorted: readonly string[], name: string): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < name) low = middle + 1;
    else high = middle;
  }
  return low;
};

const mergeSorted = (a: readonly string[], b: readonly string[]): string[] => {
  const merged: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (right === undefined || (left !== undefined && left < right)) {
      merged.push(left ?? '');
      i++;
    } else {
      merged.push(right);
      j++;
    }
  }
  return merged;
};

/** A map of names that is put in order when somebody walks over it, and costs no more than a map until then. */
export class OrderedMap<V> {
  readonly #values = new Map<string, V>();
  #sorted: string[] = [];
  /** Names that came since. */
  #fresh: string[] = [];
  /** Whether names went away: then the order is made anew. */
  #stale = false;

  get size(): number {
    return this.#values.size;
  }

  get(name: string): V | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: V): void {
    const before = this.#values.size;
    this.#values.set(name, value);
    if (this.#values.size !== before) this.#fresh.push(name);
  }

  delete(name: string): void {
    if (this.#values.delete(name)) this.#stale = true;
  }

  clear(): void {
    this.#values.clear();
    this.#sorted = [];
    this.#fresh = [];
    this.#stale = false;
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }

  [Symbol.iterator](): Iterator<[string, V]> {
    return this.#values[Symbol.iterator]();
  }

  /** Entries of a range, in its order. The map must not change meanwhile. */
  *range({ from, to, reverse }: Range): Generator<[string, V]> {
    const names = this.#order();
    const start = from === undefined ? 0 : lowerBound(names, from);
    const end = to === undefined ? names.length : lowerBound(names, to);
    for (let i = 0; i < end - start; i++) {
      const name = names[reverse ? end - 1 - i : start + i] ?? '';
      yield [name, this.#values.get(name) as V];
    }
  }

  #order(): readonly string[] {
    if (this.#stale) {
      this.#sorted = [...this.#values.keys()].sort(byBytes);
      this.#fresh = [];
      this.#stale = false;
    } else if (this.#fresh.length > 0) {
      this.#sorted = mergeSorted(this.#sorted, this.#fresh.sort(byBytes));
      this.#fresh = [];
    }
    return this.#sorted;
  }
}
