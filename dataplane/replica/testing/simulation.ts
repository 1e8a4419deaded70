import type { Clock } from '../../log/clock.ts';

/**
 * Time and order for tests of many replicas in one process: nothing happens unless the test lets time pass, sleeps end
 * in the order of their times, and everything random comes from one seed.
 */
export class Simulation {
  #now = 0;
  #next = 0;
  readonly #sleepers: Sleeper[] = [];
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  get now(): number {
    return this.#now;
  }

  /** A number between 0 and 1 (mulberry32, public domain). */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.random() * choices.length)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** The clock of one process. While it is stopped its sleeps do not end, but time goes on. */
  process(): SimulatedProcess {
    return new SimulatedProcess(this);
  }

  add(process: SimulatedProcess, ms: number, wake: () => void): Sleeper {
    const sleeper = { at: this.#now + Math.max(0, ms), order: this.#next++, process, wake };
    this.#sleepers.push(sleeper);
    return sleeper;
  }

  remove(sleeper: Sleeper): void {
    const index = this.#sleepers.indexOf(sleeper);
    if (index !== -1) this.#sleepers.splice(index, 1);
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let sleeper = this.#due(end); sleeper !== null; sleeper = this.#due(end)) {
      this.remove(sleeper);
      this.#now = Math.max(this.#now, sleeper.at);
      sleeper.wake();
      await settle();
    }
    this.#now = end;
  }

  /** Lets time pass until the condition holds; throws when it does not within `limitMs`. */
  async until(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    for (let passed = 0; !condition(); passed += 20) {
      if (passed > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.run(20);
    }
  }

  #due(end: number): Sleeper | null {
    let first: Sleeper | null = null;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > end || sleeper.process.stopped) continue;
      if (first === null || sleeper.at < first.at || (sleeper.at === first.at && sleeper.order < first.order)) {
        first = sleeper;
      }
    }
    return first;
  }
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly process: SimulatedProcess;
  readonly wake: () => void;
}

/** What a process sees of the simulation. */
export class SimulatedProcess implements Clock {
  readonly #simulation: Simulation;
  stopped = false;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  now(): number {
    return this.#simulation.now;
  }

  wall(): number {
    return 1_700_000_000_000 + Math.floor(this.#simulation.now);
  }

  random(): number {
    return this.#simulation.random();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#simulation.remove(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = this.#simulation.add(this, ms, wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}

/** Until every promise that can go on has gone on. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}
