/** Removed keys that are remembered. */
const maxRemembered = 100_000;
/** Stamps of one term: more than a primary can use up. */
const perTerm = 2 ** 32;

/**
 * When keys were removed last, so that WATCH of a key that does not exist can tell "still absent" from "created and
 * deleted meanwhile". Times are stamps of one primary: those of another term say nothing, and count as a change.
 */
export class Removals {
  readonly #stamps = new Map<string, number>();
  /** Of keys that are not remembered all that is known is that they were not removed after this stamp. */
  #floor = 0;
  #stamp = 0;

  /** Starts anew, for a term. */
  begin(term: number): void {
    this.#stamps.clear();
    this.#floor = this.#stamp = Math.max(this.#stamp + 1, term * perTerm);
  }

  /** Newest stamp. */
  get stamp(): number {
    return this.#stamp;
  }

  removed(key: string): void {
    this.#stamps.delete(key);
    this.#stamps.set(key, ++this.#stamp);
    if (this.#stamps.size <= maxRemembered) return;
    const [oldest] = this.#stamps;
    if (!oldest) return;
    this.#floor = oldest[1];
    this.#stamps.delete(oldest[0]);
  }

  /** All keys were removed. */
  cleared(): void {
    this.#stamps.clear();
    this.#floor = ++this.#stamp;
  }

  /** Whether a key was surely not removed after a stamp of this primary. */
  unchangedSince(key: string, stamp: number): boolean {
    return stamp >= this.#floor && stamp <= this.#stamp && (this.#stamps.get(key) ?? 0) <= stamp;
  }
}
