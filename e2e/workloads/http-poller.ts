import { setTimeout as sleep } from 'node:timers/promises';
import { OutageClock } from './outage.ts';

/** Asks one URL again and again and measures how long it gave no good answer. */
export class HttpPoller {
  readonly outage = new OutageClock();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #good = 0;
  #bad = 0;

  constructor(ask: (signal: AbortSignal) => Promise<boolean>) {
    this.#running = this.#poll(ask);
  }

  get good(): number {
    return this.#good;
  }

  /** Stops; returns how many answers were good and bad. */
  async finish(): Promise<{ good: number; bad: number }> {
    this.#stop.abort();
    await this.#running;
    return { good: this.#good, bad: this.#bad };
  }

  async #poll(ask: (signal: AbortSignal) => Promise<boolean>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const good = await ask(AbortSignal.timeout(2_000)).catch(() => false);
      if (good) {
        this.#good++;
        this.outage.success();
      } else this.#bad++;
      await sleep(25);
    }
  }
}

/** A GET that counts as good when the status is 200. */
export const gets =
  (url: string) =>
  async (signal: AbortSignal): Promise<boolean> => {
    const response = await fetch(url, { signal });
    await response.arrayBuffer();
    return response.status === 200;
  };
