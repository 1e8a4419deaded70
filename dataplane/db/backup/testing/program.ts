import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', 'main.ts');

/** What the program of backups said and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly problems: string;
}

/** Starts the program. @param env beside that of this process */
export const startProgram = (args: readonly string[], env: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const outcome = async (): Promise<Outcome> => {
    const [output, problems, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { code, output, problems };
  };
  return { child, outcome: outcome() };
};

/** Runs the program to its end. */
export const runProgram = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> =>
  startProgram(args, env).outcome;
