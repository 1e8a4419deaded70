import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** Environment variable that marks every process of one supervisor (or of one test run). */
export const instanceVariable = 'QUARTET_INSTANCE';

/**
 * Guarantee that no process outlives this one, even when this one is killed with SIGKILL: a shell (`reaper.sh`) in a
 * session of its own reads a pipe from us, and kills all that we announced when the pipe closes. Works without root.
 * One per process, started with the first child.
 */
class Reaper {
  /** The value of {@link instanceVariable} for every child. */
  readonly instance = randomBytes(9).toString('hex');
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;

  /** The pid of the shell, once there is one. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  /** Starts the shell if needed. Call before a child is spawned: then there is no moment without a guard. */
  arm(): void {
    if (this.#shell !== undefined) return;
    const shell = spawn('/bin/sh', [join(import.meta.dirname, 'reaper.sh'), this.instance], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] },
    });
    this.#shell = shell;
    shell.stdin.on('error', () => undefined);
    // Somebody killed the guard: have another one while there is something to guard.
    shell.on('exit', () => {
      this.#shell = undefined;
      if (this.#groups.size > 0) this.arm();
    });
    // Neither the process nor the pipe may keep us alive: a test run ends when its tests end.
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    for (const group of this.#groups) this.#tell(`+${group}`);
  }

  /** Announces a process group. */
  guard(group: number): void {
    this.#groups.add(group);
    this.#tell(`+${group}`);
  }

  /** The group is gone; its number may soon belong to somebody else. */
  release(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`-${group}`);
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`);
  }
}

/** The guard of this process. */
export const reaper = new Reaper();
