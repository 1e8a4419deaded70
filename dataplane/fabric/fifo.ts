/** Below this many, places of items that are gone are left. */
const smallest = 32;

/**
 * A queue in an array: items go in at the end and out at the front, each in constant time. What went out is not kept alive,
 * however long the queue lives without ever being empty.
 */
export class Fifo<T> {
  /** Undefined before {@link #head}. */
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The item at a place, 0 being the front; undefined beyond the end. */
  at(place: number): T | undefined {
    return this.#items[this.#head + place];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the item at the front; undefined when there is none. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length || (this.#head > smallest && this.#head * 2 > this.#items.length)) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Puts items in front of all others. */
  putBack(items: readonly T[]): void {
    this.#items = [...items, ...this.slice()];
    this.#head = 0;
  }

  /** A copy of the items from one place to before another. */
  slice(from = 0, to = this.length): T[] {
    return this.#items.slice(this.#head + from, this.#head + to) as T[];
  }

  /** The first place whose item is not below what is looked for; items must be in order. @param isBelow whether an item is */
  lowerBound(isBelow: (item: T) => boolean): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(this.at(middle) as T)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
