import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Operation } from '../history.ts';
import type { Verdict } from '../workloads/workload.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'hack', 'checker');
/** For all keys together, seconds. */
const limitSeconds = 120;

interface Answer {
  readonly illegal: readonly string[];
  readonly undecided: readonly string[];
}

let built: Promise<string> | undefined;

/** Builds the checker once; Go keeps what it built. */
const build = (): Promise<string> => {
  built ??= (async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'quartet-checker-')), 'checker');
    await promisify(execFile)('go', ['build', '-o', path, '.'], { cwd: program, timeout: 300_000 });
    return path;
  })();
  return built;
};

/** Every key has to be a linearizable register; porcupine decides. */
export const checkRegisters = async (operations: readonly Operation[]): Promise<Verdict> => {
  // Reads without an answer say nothing, and what was refused did nothing.
  const telling = operations.filter(({ f, outcome }) => outcome === 'ok' || (outcome === 'info' && f !== 'read'));
  const child = spawn(await build(), ['-limit', `${limitSeconds}s`], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stdin.on('error', () => {});
  for (const operation of telling) {
    if (!child.stdin.write(`${JSON.stringify(operation)}\n`)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the checker of registers ended with ${code}`);
  const { illegal, undecided } = JSON.parse(out) as Answer;
  return {
    checked: operations.length,
    anomalies: illegal.map((key) => `not linearizable: ${key}`),
    ...(undecided.length === 0 ? {} : { undecided: `no answer in time for ${undecided.join(', ')}` }),
  };
};
