import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { until } from './until.ts';

/** A candidate process. */
export interface Candidate {
  readonly identity: string;
  /** Lines that it has printed. */
  readonly said: readonly string[];
  /** Resolves when it has printed the word as many times. */
  says(word: string, times?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<void>;
}

/** Starts a candidate and waits until its caches are filled. */
export async function startCandidate(kubeconfig: string, namespace: string, identity: string): Promise<Candidate> {
  const script = join(import.meta.dirname, 'candidate.ts');
  const child = spawn(process.execPath, [script, kubeconfig, namespace, identity], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const says = async (word: string, times = 1): Promise<void> => {
    await until(`${identity} says ${word}`, () => said.filter((line) => line === word).length >= times);
  };
  await says('ready');
  return { identity, said, says, exited, kill: (signal) => void child.kill(signal) };
}
