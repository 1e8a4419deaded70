import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../api/objects.ts';
import { reasonOf } from '../errors.ts';
import { startChild, type Child, type Exit } from '../processes/child.ts';
import { nextDelay } from '../processes/back-off.ts';
import { Prober } from './prober.ts';
import type { Program } from './program.ts';
import type { ContainerReport, ContainerState } from './status.ts';

export interface RunnerOptions {
  readonly container: Container;
  readonly program: Program;
  /** The complete environment, `program.env` included. */
  readonly env: NodeJS.ProcessEnv;
  readonly address: string;
  readonly log: string;
  /** File in which the program leaves its termination message. */
  readonly terminationLog: string;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** How often it was restarted in an earlier life of this kubelet. */
  readonly restarts: number;
  readonly graceMs: number;
  /** Something that {@link ContainerRunner.report} shows has changed. */
  readonly onChange: () => void;
  readonly onEvent: (reason: string, message: string) => void;
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/** The exit code that Kubernetes shows: 128 + the signal's number for a process that a signal ended. */
export const exitCodeOf = (exit: Exit): number =>
  exit.code ?? 128 + (exit.signal === null ? 0 : (signalNumbers[exit.signal] ?? 0));

const maxMessageBytes = 4096;

/** What a program left in its termination log, cut where Kubernetes cuts it; undefined: nothing. */
const terminationMessage = (path: string): string | undefined => {
  try {
    return readFileSync(path).toString('utf8', 0, maxMessageBytes) || undefined;
  } catch {
    return undefined;
  }
};

/** Runs one container as a process, again and again as its restart policy says, and probes it. */
export class ContainerRunner {
  readonly #options: RunnerOptions;
  #child: Child | undefined;
  #prober: Prober | undefined;
  #state: ContainerState = { type: 'waiting', reason: 'ContainerCreating', message: '' };
  #last: ContainerState | undefined;
  #ready = false;
  #started = false;
  #restarts: number;
  #delay: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #finished = Promise.withResolvers<number>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#restarts = options.restarts;
  }

  /** Of the running process, else 0. */
  get pid(): number {
    return this.#child !== undefined && this.#child.exit === undefined ? this.#child.pid : 0;
  }

  /** Resolves with the exit code when it has ended and will not be started again. */
  get finished(): Promise<number> {
    return this.#finished.promise;
  }

  report(): ContainerReport {
    const { name, image } = this.#options.container;
    return {
      name,
      image,
      state: this.#state,
      last: this.#last,
      ready: this.#ready,
      started: this.#started,
      restarts: this.#restarts,
    };
  }

  start(): void {
    const { container, program, env, log, address, terminationLog } = this.#options;
    const startedAt = new Date().toISOString();
    const began = performance.now();
    rmSync(terminationLog, { force: true });
    try {
      this.#child = startChild({ ...program, name: container.name, args: program.args, env, log });
    } catch (error) {
      this.#wait('StartError', reasonOf(error), 0);
      return;
    }
    this.#state = { type: 'running', startedAt };
    this.#prober = new Prober(
      { address, container, env, cwd: program.cwd },
      {
        onStarted: () => this.#mark({ started: true }),
        onReady: (ready) => this.#mark({ ready }),
        onDead: (probe) => void this.#restartUnhealthy(probe),
      },
    );
    void this.#child.exited.then((exit) => this.#onExit(exit, startedAt, performance.now() - began));
    this.#prober.start();
    this.#options.onChange();
  }

  /** SIGKILL, as a crash: it is started again. */
  crash(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Its preStop sleep, then SIGTERM and SIGKILL; the grace time is for all of it. It is not started again. */
  async end(graceMs: number): Promise<void> {
    const sleepMs = Math.min(graceMs, 1000 * (this.#options.container.lifecycle?.preStop?.sleep?.seconds ?? 0));
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (sleepMs > 0 && this.pid !== 0) await Promise.race([sleep(sleepMs), this.finished]);
    await this.stop(graceMs - sleepMs);
  }

  /** SIGTERM, the grace time, SIGKILL, at once. It is not started again. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#prober?.stop();
    if (this.#child === undefined || this.#child.exit !== undefined) {
      this.#finished.resolve(0);
      return;
    }
    this.#mark({ ready: false });
    await this.#child.stop(graceMs);
  }

  #mark(change: { ready?: boolean; started?: boolean }): void {
    this.#ready = change.ready ?? this.#ready;
    this.#started = change.started ?? this.#started;
    this.#options.onChange();
  }

  async #restartUnhealthy(probe: string): Promise<void> {
    this.#options.onEvent('Unhealthy', `${probe} probe failed, container ${this.#options.container.name} is restarted`);
    this.#mark({ ready: false });
    this.#prober?.stop();
    await this.#child?.stop(this.#options.graceMs);
  }

  #onExit(exit: Exit, startedAt: string, ranMs: number): void {
    const exitCode = exitCodeOf(exit);
    this.#prober?.stop();
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const message = terminationMessage(this.#options.terminationLog);
    const finishedAt = new Date().toISOString();
    const left = message === undefined ? {} : { message };
    const ended = { type: 'terminated', exitCode, reason, ...left, startedAt, finishedAt } as const;
    this.#ready = false;
    this.#started = false;
    this.#state = ended;
    const policy = this.#options.restartPolicy;
    if (this.#stopping || policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) {
      this.#finished.resolve(exitCode);
      this.#options.onChange();
      return;
    }
    this.#last = ended;
    this.#wait('CrashLoopBackOff', `ended with code ${exitCode}`, ranMs);
  }

  #wait(reason: string, message: string, ranMs: number): void {
    this.#delay = nextDelay(this.#delay, ranMs);
    this.#state = { type: 'waiting', reason, message: `${message}, starts again in ${this.#delay / 1000} s` };
    this.#restarts += 1;
    this.#options.onChange();
    this.#timer = setTimeout(() => this.start(), this.#delay);
  }
}
