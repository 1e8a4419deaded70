import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a run measured: requests per second, milliseconds. */
export interface LoadResult {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
}

/** Where the load goes: etcd's client addresses, or the port of a server that speaks the protocol of Redis. */
export type LoadTarget = { readonly etcd: readonly string[] } | { readonly redis: number };

export type Load = (
  target: LoadTarget,
  test: 'set' | 'transaction',
  clients: number,
  seconds: number,
) => Promise<LoadResult>;

/** Builds the program of `load/`, which drives both sides by their ordinary Go clients. Needs go on PATH. */
export const buildLoad = async (dir: string): Promise<Load> => {
  const program = join(dir, 'load');
  await run('go', ['build', '-o', program, '.'], { cwd: join(import.meta.dirname, 'load') });
  return async (target, test, clients, seconds) => {
    const where = 'etcd' in target ? ['-etcd', target.etcd.join(',')] : ['-redis', `127.0.0.1:${target.redis}`];
    const args = [...where, '-clients', String(clients), '-seconds', String(seconds), '-test', test];
    const { stdout } = await run(program, args);
    return JSON.parse(stdout) as LoadResult;
  };
};
