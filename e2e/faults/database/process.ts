import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, type Child } from '../../../local/processes/child.ts';
import type { Subject } from './database.ts';
import type { Cut, Proxy } from './proxy.ts';

export interface ProcessPlan {
  readonly name: string;
  /** Where it speaks RESP. */
  readonly port: number;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: string;
  readonly proxy: Proxy;
}

const restartPauseMs = 500;

/** A member or a gateway: kept running, as a kubelet keeps a pod, except while a fault holds it down. */
export class FaultyProcess implements Subject {
  readonly name: string;
  readonly host = '127.0.0.1';
  /** Of who took its place, once it is gone: clients that knew it come there. */
  port: number;
  readonly #plan: ProcessPlan;
  #child: Child;
  #wanted = true;
  #over = false;
  /** Times that it ended without being killed by a fault. */
  crashes = 0;

  constructor(plan: ProcessPlan) {
    this.name = plan.name;
    this.port = plan.port;
    this.#plan = plan;
    this.#child = this.#start();
  }

  /** `kill -9`; it stays down until {@link revive}. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }

  revive(): void {
    if (this.#wanted || this.#over) return;
    this.#wanted = true;
    this.#child = this.#start();
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  cut(cut: Cut): void {
    this.#plan.proxy.cut(cut);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#over = true;
    this.resume();
    await this.#child.stop(2_000);
    this.#plan.proxy.stop();
  }

  #start(): Child {
    const { name, args, env, log } = this.#plan;
    const child = startChild({ name, command: process.execPath, args, env, log });
    void child.exited.then(async () => {
      if (!this.#wanted || this.#child !== child) return;
      this.crashes++;
      await sleep(restartPauseMs);
      if (this.#wanted) this.#child = this.#start();
    });
    return child;
  }
}
