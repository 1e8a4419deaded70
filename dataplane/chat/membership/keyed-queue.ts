/** Runs work of the same key one after the other, in the order of the calls; other keys do not wait for it. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Resolves or rejects as the work does. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = before.then(work, work);
    const tail: Promise<void> = result.then(
      () => this.#finish(key, tail),
      () => this.#finish(key, tail),
    );
    this.#tails.set(key, tail);
    return result;
  }

  #finish(key: string, tail: Promise<unknown>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}
