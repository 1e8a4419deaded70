/** Keeps the best `limit` of what it is offered. A binary heap with the worst on top. */
export class BoundedHeap<T> {
  readonly #items: T[] = [];
  readonly #limit: number;
  readonly #compare: (a: T, b: T) => number;

  /** `compare`: below zero when `a` is better; never zero for different items. */
  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  get full(): boolean {
    return this.#items.length >= this.#limit;
  }

  /** The worst of what is kept. */
  get worst(): T | undefined {
    return this.#items[0];
  }

  offer(item: T): void {
    if (this.#limit === 0) return;
    if (!this.full) {
      this.#items.push(item);
      this.#rise(this.#items.length - 1);
    } else if (this.#compare(item, this.#items[0] as T) < 0) {
      this.#items[0] = item;
      this.#sink();
    }
  }

  /** Best first. */
  sorted(): T[] {
    return [...this.#items].sort(this.#compare);
  }

  #rise(from: number): void {
    const items = this.#items;
    const item = items[from] as T;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#compare(items[parent] as T, item) >= 0) break;
      items[at] = items[parent] as T;
      at = parent;
    }
    items[at] = item;
  }

  #sink(): void {
    const items = this.#items;
    const item = items[0] as T;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      const right = items[child + 1];
      if (right !== undefined && this.#compare(right, items[child] as T) > 0) child++;
      if (this.#compare(items[child] as T, item) <= 0) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = item;
  }
}
