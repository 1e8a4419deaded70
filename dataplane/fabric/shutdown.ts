import type { Logger } from 'pino';

/** Longest time that one step of a shutdown may take, in ms. */
const stepDeadlineMs = 5_000;

interface Step {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

/** Runs what was registered in reverse order, each step with a deadline, once. */
export class Shutdown {
  readonly #steps: Step[] = [];
  readonly #log: Logger;
  #running: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a step: steps added later run earlier. */
  add(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /** Runs all steps; a failed or late one is logged and does not stop the others. */
  run(): Promise<void> {
    this.#running ??= this.#runSteps();
    return this.#running;
  }

  async #runSteps(): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      const { promise: late, resolve } = Promise.withResolvers<'late'>();
      const timer = setTimeout(() => resolve('late'), stepDeadlineMs);
      try {
        const outcome = await Promise.race([step.stop(), late]);
        if (outcome === 'late') this.#log.warn({ step: step.name }, 'a shutdown step took too long');
      } catch (error) {
        this.#log.warn({ step: step.name, err: error }, 'a shutdown step failed');
      } finally {
        clearTimeout(timer);
      }
    }
  }
}
