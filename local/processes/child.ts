import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LocalError } from '../errors.ts';
import { instanceVariable, reaper } from './reaper.ts';

/** A log that is longer than this when a process starts is moved to `<path>.1`. */
const logLimitBytes = 16 * 1024 * 1024;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The complete environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** File that gets standard output and standard error. The kernel writes it: no byte passes through us. */
  readonly log: string;
  /** Open an IPC channel, for a Node program that is ours. */
  readonly ipc?: boolean;
}

/** A process in a group of its own, guarded by the reaper. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Undefined while it runs. */
  readonly exit: Exit | undefined;
  /** Of the IPC channel. */
  onMessage(listener: (message: unknown) => void): void;
  /** Over the IPC channel; nothing happens when there is none any more. */
  send(message: object): void;
  /** Signals the whole group. False when there is nothing left to signal. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGTERM, then SIGKILL after the grace time (ms; 0 = SIGKILL at once). Resolves when the process is gone. */
  stop(graceMs: number): Promise<Exit>;
}

const openLog = (path: string): number => {
  mkdirSync(dirname(path), { recursive: true });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > logLimitBytes) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
};

const signalGroup = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
};

const wrap = (name: string, process: ChildProcess, pid: number): Child => {
  let exit: Exit | undefined;
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  process.on('error', () => undefined);
  process.on('exit', (code, signal) => {
    exit = { code, signal };
    // What it forked and left behind goes with it.
    signalGroup(pid, 'SIGKILL');
    reaper.release(pid);
    resolve(exit);
  });
  const kill = (signal: NodeJS.Signals): boolean => exit === undefined && signalGroup(pid, signal);
  return {
    name,
    pid,
    exited,
    get exit() {
      return exit;
    },
    onMessage: (listener) => void process.on('message', listener),
    send: (message) => void (process.connected && process.send(message, () => undefined)),
    kill,
    async stop(graceMs) {
      if (graceMs <= 0) {
        kill('SIGKILL');
        return exited;
      }
      // A stopped (SIGSTOP) process cannot act on SIGTERM before it continues.
      kill('SIGTERM');
      kill('SIGCONT');
      const timer = setTimeout(() => kill('SIGKILL'), graceMs);
      const result = await exited;
      clearTimeout(timer);
      return result;
    },
  };
};

/**
 * Starts a process.
 * @throws LocalError `start-failed` when the program cannot be run at all.
 */
export const startChild = (options: ChildOptions): Child => {
  reaper.arm();
  const log = openLog(options.log);
  try {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', log, log, ...(options.ipc === true ? (['ipc'] as const) : [])],
      env: { ...(options.env ?? process.env), [instanceVariable]: reaper.instance },
    });
    if (child.pid === undefined) {
      child.on('error', () => undefined);
      throw new LocalError('start-failed', `cannot run ${options.command}`);
    }
    reaper.guard(child.pid);
    return wrap(options.name, child, child.pid);
  } finally {
    closeSync(log);
  }
};
