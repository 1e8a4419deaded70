import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Requests to the API server since the start of the process. */
export interface Requests {
  readonly writes: number;
  readonly reads: number;
  readonly lease: number;
}

/** The real operator, `operator/main.ts`, in a process of its own; it is looked at by its metrics and by /proc. */
export class OperatorProcess {
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #metrics: string;

  constructor(options: { readonly kubeconfig: string; readonly nats: string; readonly port: number }) {
    const { kubeconfig, nats, port } = options;
    this.#metrics = `http://127.0.0.1:${port}/metrics`;
    this.#child = spawn(process.execPath, [join(import.meta.dirname, '../../operator/main.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        KUBECONFIG: kubeconfig,
        QUARTET_NATS_URL: nats,
        QUARTET_IMAGE: 'quartet:bench',
        QUARTET_ADMIN_PORT: String(port),
        QUARTET_LOG_LEVEL: 'warn',
      },
    });
  }

  /** Sum of a metric over the samples whose labels contain all of `labels`; 0 while the process does not answer. */
  async metric(name: string, ...labels: readonly string[]): Promise<number> {
    const text = await fetch(this.#metrics)
      .then((response) => response.text())
      .catch(() => '');
    let sum = 0;
    for (const line of text.split('\n')) {
      if (!line.startsWith(name) || !labels.every((label) => line.includes(label))) continue;
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    }
    return sum;
  }

  async requests(): Promise<Requests> {
    const name = 'rest_client_requests_total{';
    const [all, gets, lease] = await Promise.all([
      this.metric(name),
      this.metric(name, 'method="GET"'),
      this.metric(name, 'resource="leases.coordination.k8s.io"'),
    ]);
    const leaseGets = await this.metric(name, 'method="GET"', 'resource="leases.coordination.k8s.io"');
    return { writes: all - gets - (lease - leaseGets), reads: gets - leaseGets, lease };
  }

  /** Resident memory, MiB. */
  get rssMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? NaN) / 1024;
  }

  /** Time since the start, ms, at which nothing waits and at least `reconciles` were done. */
  async settled(reconciles: number, deadlineMs: number): Promise<number> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const done = await this.metric('controller_runtime_reconcile_total{', 'controller="quartet-chat-room"');
      const waiting = await this.metric('workqueue_depth{');
      if (done >= reconciles && waiting === 0) return performance.now() - this.startedAt;
      if (performance.now() > deadline) throw new Error(`${done} of ${reconciles} reconciles, ${waiting} are waiting`);
      await sleep(50);
    }
  }

  /** SIGTERM; resolves when the process is gone. */
  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await exited;
  }
}
