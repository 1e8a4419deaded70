import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Requests to the API server since the start of the process. */
export interface Requests {
  readonly writes: number;
  readonly reads: number;
  readonly lease: number;
  /** The writes again, by method and resource. */
  readonly byResource: ReadonlyMap<string, number>;
}

interface Sample {
  readonly labels: string;
  readonly value: number;
}

const sum = (samples: readonly Sample[]): number => samples.reduce((total, { value }) => total + value, 0);

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
        // as in the image: what is compiled already is not read as TypeScript, which takes memory
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        KUBECONFIG: kubeconfig,
        QUARTET_NATS_URL: nats,
        QUARTET_IMAGE: 'quartet:bench',
        QUARTET_ADMIN_PORT: String(port),
        QUARTET_LOG_LEVEL: 'warn',
      },
    });
  }

  /** The samples of a metric whose labels contain all of `labels`; none while the process does not answer. */
  async #samples(name: string, ...labels: readonly string[]): Promise<Sample[]> {
    const text = await fetch(this.#metrics)
      .then((response) => response.text())
      .catch(() => '');
    return text
      .split('\n')
      .filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
      .map((line) => ({ labels: line, value: Number(line.slice(line.lastIndexOf(' ') + 1)) }));
  }

  async requests(): Promise<Requests> {
    const byResource = new Map<string, number>();
    let [reads, lease] = [0, 0];
    for (const { labels, value } of await this.#samples('rest_client_requests_total{')) {
      const method = /method="([^"]*)"/.exec(labels)?.[1] ?? '';
      const of = /resource="([^"]*)"/.exec(labels)?.[1] ?? '';
      const name = `${method} ${of}`;
      if (of === 'leases.coordination.k8s.io') lease += value;
      else if (method === 'GET') reads += value;
      else byResource.set(name, (byResource.get(name) ?? 0) + value);
    }
    return { writes: [...byResource.values()].reduce((sum, value) => sum + value, 0), reads, lease, byResource };
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
      const done = sum(await this.#samples('controller_runtime_reconcile_total{', 'controller="quartet-chat-room"'));
      const waiting = sum(await this.#samples('workqueue_depth{'));
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
