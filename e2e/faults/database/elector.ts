import { setTimeout as sleep } from 'node:timers/promises';
import type { Observer } from './observer.ts';

/** Time without a live primary before another is asked to lead, milliseconds; life itself is given 1.5 s of silence. */
const patienceMs = 250;

/**
 * Stands in for the operator where there is no Kubernetes: when no primary of a shard was heard for as long as the
 * operator suspects after, it asks the most advanced live member to lead. It may be wrong at any time: the log decides.
 */
export class Elector {
  readonly #observer: Observer;
  readonly #stop = new AbortController();
  readonly #heardAt = new Map<string, number>();
  /** False: the operator is away. */
  present = true;

  constructor(observer: Observer, shards: readonly string[]) {
    this.#observer = observer;
    for (const shard of shards) this.add(shard);
  }

  /** Sees to it that a shard has a primary. */
  add(shard: string): void {
    void this.#watch(shard);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(shard: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const silence = performance.now() - (this.#heardAt.get(shard) ?? 0);
      if (this.#observer.primary(shard) !== undefined) this.#heardAt.set(shard, performance.now());
      else if (this.present && silence > patienceMs) await this.#elect(shard);
      await sleep(100);
    }
  }

  async #elect(shard: string): Promise<void> {
    const applied = (pod: string): number => this.#observer.report(pod)?.applied ?? 0;
    const [best] = this.#observer
      .live(shard)
      .filter((pod) => this.#observer.report(pod)?.state === 'following')
      .sort((a, b) => applied(b) - applied(a));
    if (best === undefined) return;
    await this.#observer.ask(best, { type: 'promote', term: this.#observer.highestTerm(shard) + 1 });
  }
}
