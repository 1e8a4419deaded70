import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What `kubectl get --watch` shows of one resource while something happens to it. */
export class Story {
  /** Each row that differs from the one before, with the time since the beginning. The age is left out. */
  readonly rows: { readonly ms: number; readonly text: string }[] = [];
  readonly #child: ChildProcess;
  readonly #began = Date.now();

  /** `kubectl`: the program and what it needs to reach the cluster. */
  constructor(kubectl: { readonly program: string; readonly kubeconfig: string }, resource: string) {
    this.#child = spawn(kubectl.program, ['get', resource, '-o', 'wide', '--no-headers', '--watch'], {
      env: { ...process.env, KUBECONFIG: kubectl.kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line));
  }

  /** Ends the watch; the rows stay. */
  end(): void {
    this.#child.kill('SIGKILL');
  }

  /** What it showed at a time, ms since the epoch; empty before the first row. */
  at(time: number): string {
    return this.rows.findLast(({ ms }) => this.#began + ms <= time)?.text ?? '';
  }

  /** In lines, for a report. */
  told(): string {
    return this.rows.map(({ ms, text }) => `${(ms / 1000).toFixed(1)} s: ${text}`).join(' > ');
  }

  #read(line: string): void {
    const text = line.trim().split(/\s+/).slice(0, -1).join(' ');
    if (text !== '' && text !== this.rows.at(-1)?.text) this.rows.push({ ms: Date.now() - this.#began, text });
  }
}
