import { LocalError } from '../errors.ts';
import { startChild, type Child } from '../processes/child.ts';
import { until } from '../processes/until.ts';

export interface ComponentOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Undefined (or a throw) while it is not ready. */
  readonly ready: () => Promise<true | undefined>;
  readonly startTimeoutMs?: number;
  readonly stopGraceMs?: number;
}

/** One program of the control plane that can be started again after it ended. */
export class Component {
  readonly options: ComponentOptions;
  #child: Child | undefined;

  constructor(options: ComponentOptions) {
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }
  /** 0 while there is no process. */
  get pid(): number {
    return this.running ? (this.#child?.pid ?? 0) : 0;
  }
  get running(): boolean {
    return this.#child !== undefined && this.#child.exit === undefined;
  }
  /** Resolves when the process that runs now has ended. */
  get exited(): Promise<unknown> {
    return this.#child?.exited ?? Promise.resolve();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /**
   * Starts it, unless it runs, and waits until it is ready.
   * @throws LocalError `start-failed`
   */
  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Starts the process without waiting. */
  launch(): void {
    if (this.running) return;
    const { name, command, args, log, env } = this.options;
    this.#child = startChild({ name, command, args, log, ...(env && { env }) });
  }

  async ready(): Promise<void> {
    const { name, ready, startTimeoutMs = 120_000 } = this.options;
    await until({ what: name, timeoutMs: startTimeoutMs, giveUp: () => this.#mustRun() }, ready);
  }

  #mustRun(): void {
    if (!this.running) throw new LocalError('start-failed', `${this.name} ended: see ${this.options.log}`);
  }

  async stop(): Promise<void> {
    await this.#child?.stop(this.options.stopGraceMs ?? 5000);
  }
}
