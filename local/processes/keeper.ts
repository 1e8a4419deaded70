import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { reasonOf } from '../errors.ts';
import { nextDelay, type BackOff } from './back-off.ts';

/** A process that can be started again. */
export interface Restartable {
  readonly name: string;
  readonly running: boolean;
  /** Resolves when the process that runs now has ended. */
  readonly exited: Promise<unknown>;
  start(): Promise<void>;
}

const backOff: BackOff = { firstMs: 500, limitMs: 10_000, forgetAfterMs: 20_000 };

/** Starts processes again that end although nobody asked them to: the first time at once, then with a growing wait. */
export class Keeper {
  readonly #log: Logger;
  readonly #paused = new Set<string>();
  #stopped = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  keep(process: Restartable): void {
    void this.#loop(process);
  }

  /** Its end is meant; it stays down until {@link resume}. */
  pause(name: string): void {
    this.#paused.add(name);
  }

  /** @throws LocalError when it does not start */
  async resume(process: Restartable): Promise<void> {
    this.#paused.delete(process.name);
    await process.start();
    this.keep(process);
  }

  stop(): void {
    this.#stopped = true;
  }

  #wanted(name: string): boolean {
    return !this.#stopped && !this.#paused.has(name);
  }

  async #loop(process: Restartable): Promise<void> {
    let delay: number | undefined;
    for (;;) {
      const since = performance.now();
      await process.exited;
      if (!this.#wanted(process.name)) return;
      delay = nextDelay(delay, performance.now() - since, backOff);
      this.#log.warn({ process: process.name, delayMs: delay }, 'ended, starting it again');
      await sleep(delay);
      if (!this.#wanted(process.name)) return;
      await process.start().catch((error: unknown) => {
        this.#log.error({ process: process.name, reason: reasonOf(error) }, 'did not start');
      });
    }
  }
}
