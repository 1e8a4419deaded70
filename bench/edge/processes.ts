import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cpuSeconds } from '../figures.ts';

const run = promisify(execFile);
const running: ChildProcess[] = [];

/** Starts a program that ends with the benchmark. */
export function start(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  running.push(child);
  return child;
}

/** The first line that a program prints. */
export async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return chunk.toString().split('\n')[0] ?? '';
}

/** Ends everything that was started. */
export async function stopAll(): Promise<void> {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await Promise.race([once(child, 'exit'), sleep(5_000).then(() => child.kill('SIGKILL'))]);
  }
}

/** Waits until a URL answers. */
export async function untilAnswers(url: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** The one child of nginx's master that serves requests. */
export async function workerOf(pid: number): Promise<number> {
  const { stdout } = await run('pgrep', ['-P', String(pid), '-f', 'worker process']);
  return Number(stdout.trim().split('\n')[0]);
}

export interface Load {
  readonly requestsPerSecond: number;
  readonly requestsPerCpuSecond: number;
  readonly microseconds: number;
}

/** Loads a URL with wrk (one thread, 32 connections) and reads what that cost a process. */
export async function load(url: string, pid: number, seconds: number): Promise<Load> {
  const before = cpuSeconds(pid);
  const { stdout } = await run('wrk', ['-t1', '-c32', `-d${seconds}s`, url]);
  const used = cpuSeconds(pid) - before;
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (/Non-2xx/.test(stdout) || !(requests > 0)) throw new Error(`wrk against ${url} failed:\n${stdout}`);
  return {
    requestsPerSecond: requests / seconds,
    requestsPerCpuSecond: requests / used,
    microseconds: (used / requests) * 1e6,
  };
}
