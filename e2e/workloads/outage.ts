import { performance } from 'node:perf_hooks';

/** Measures the longest time between two successes, ms. */
export class OutageClock {
  #last = performance.now();
  #longest = 0;

  /** Counts a success. */
  success(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }

  /** The longest gap so far, the one that lasts still included. */
  get longestMs(): number {
    return Math.round(Math.max(this.#longest, performance.now() - this.#last));
  }

  /** Time since the last success, ms. */
  get sinceSuccessMs(): number {
    return performance.now() - this.#last;
  }

  /** Forgets what was; the clock starts now. */
  reset(): void {
    this.#last = performance.now();
    this.#longest = 0;
  }
}
