/** Time that a rate is a mean of, ms: what is older weighs less and less. */
const overMs = 10_000;

/** How fast a counter grows, per second, over about the last ten seconds. Ask it often: each heartbeat does. */
export class Rate {
  readonly #count: () => number;
  readonly #now: () => number;
  #last: number;
  #at: number;
  #perSecond = 0;

  constructor(count: () => number, now: () => number = () => performance.now()) {
    this.#count = count;
    this.#now = now;
    this.#last = count();
    this.#at = now();
  }

  /** To one decimal. */
  perSecond(): number {
    const [count, now] = [this.#count(), this.#now()];
    const ms = now - this.#at;
    if (ms > 0) {
      const current = ((count - this.#last) / ms) * 1000;
      this.#perSecond += (current - this.#perSecond) * (1 - Math.exp(-ms / overMs));
      this.#last = count;
      this.#at = now;
    }
    return Math.round(this.#perSecond * 10) / 10;
  }
}

/** The work of a member of a replica set, as heartbeats tell it. */
export const workLoad = (requests: Rate, writes: Rate): Record<string, number> => ({
  requestsPerSecond: requests.perSecond(),
  writesPerSecond: writes.perSecond(),
});
