interface Observed {
  /** Moving average of the time to answer, ms. */
  latencyMs: number;
  outstanding: number;
}

/** Weight of the newest observation. */
const alpha = 0.2;
/** What a member without any observation is taken to need: low, so that it gets its chance. */
const unknownMs = 0.5;
const failurePenaltyMs = 250;

/**
 * Adaptive replica selection: the expected time of one more request is the average time to answer, times the requests
 * that wait there already (cubed, as in C3, Suresh et al. 2015, so that a queue weighs more than its length).
 */
export class ReplicaChoice {
  readonly #observed = new Map<string, Observed>();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Cheapest first; equal ones in random order. */
  order(pods: readonly string[]): string[] {
    return pods
      .map((pod) => ({ pod, cost: this.#cost(pod) * (1 + this.#random() * 0.1) }))
      .sort((a, b) => a.cost - b.cost)
      .map(({ pod }) => pod);
  }

  sent(pod: string): void {
    this.#of(pod).outstanding++;
  }

  answered(pod: string, latencyMs: number): void {
    const observed = this.#of(pod);
    observed.outstanding = Math.max(0, observed.outstanding - 1);
    observed.latencyMs += alpha * (latencyMs - observed.latencyMs);
  }

  failed(pod: string): void {
    this.answered(pod, failurePenaltyMs);
  }

  #cost(pod: string): number {
    const { latencyMs, outstanding } = this.#of(pod);
    return latencyMs * (1 + outstanding) ** 3;
  }

  #of(pod: string): Observed {
    let observed = this.#observed.get(pod);
    if (observed === undefined) {
      observed = { latencyMs: unknownMs, outstanding: 0 };
      this.#observed.set(pod, observed);
    }
    return observed;
  }
}
