/**
 * How many pods start at the same time. 25 processes that start together make each other late, and everything that waits for
 * the first of them; a few at a time take no longer in all.
 */
export class StartGate {
  readonly #limit: number;
  readonly #holdMs: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  /** A pod that has not left by itself after `holdMs` is counted no more: one that never gets ready must not stop others. */
  constructor(limit: number, holdMs: number) {
    this.#limit = limit;
    this.#holdMs = holdMs;
  }

  /** Resolves when it is this pod's turn, in order of asking, with the function that ends its turn. */
  async enter(): Promise<() => void> {
    if (this.#inside >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside += 1;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      const next = this.#waiting.shift();
      // Its place goes to the next one, or is free.
      if (next === undefined) this.#inside -= 1;
      else next();
    };
    const timer = setTimeout(leave, this.#holdMs);
    timer.unref();
    return leave;
  }
}
