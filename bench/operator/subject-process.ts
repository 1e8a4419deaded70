import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Figures, Reply, Request } from './messages.ts';

/** The operator process, as main.ts drives it. */
export class Subject {
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  #onFigures: (figures: Figures) => void = () => undefined;
  #onReconcile: (key: string, began: number) => void = () => undefined;

  constructor(kubeconfig: string, namespace: string) {
    this.#child = fork(join(import.meta.dirname, 'subject.ts'), [kubeconfig, namespace], { execArgv: [] });
    this.#child.on('message', (reply: Reply) => {
      if (reply.type === 'figures') this.#onFigures(reply);
      else this.#onReconcile(reply.key, reply.began);
    });
  }

  figures(): Promise<Figures> {
    return new Promise((resolve) => {
      this.#onFigures = resolve;
      this.#send({ type: 'figures' });
    });
  }

  /** Resolves with the figures once `check` is true of them. */
  async until(check: (figures: Figures) => boolean, deadlineMs: number): Promise<Figures> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const figures = await this.figures();
      if (check(figures)) return figures;
      if (performance.now() > end) throw new Error(`the operator did not get there: ${JSON.stringify(figures)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** When the next reconcile of the key began, ms since the epoch. */
  nextReconcile(key: string): Promise<number> {
    return new Promise((resolve) => {
      this.#onReconcile = (other, began) => {
        if (other === key) resolve(began);
      };
    });
  }

  follow(on: boolean): void {
    this.#send({ type: 'follow', on });
  }

  wakeAll(): void {
    this.#send({ type: 'wake-all' });
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#send({ type: 'stop' });
    await exited;
  }

  #send(request: Request): void {
    this.#child.send(request);
  }
}
