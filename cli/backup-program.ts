import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { programs, repository } from '../local/kubelet/program.ts';
import type { CommandLine } from './arguments.ts';
import { help } from './commands/help.ts';
import { runningInstance } from './connection.ts';

const main = join(repository, 'dataplane', 'db', 'backup', 'main.ts');

const asksForHelp = (words: readonly string[]): boolean => words.includes('--help') || words.includes('-h');

/** Where NATS is; a backup that is only checked needs none. */
const surroundings = async ({ words, stateDir }: CommandLine): Promise<NodeJS.ProcessEnv> => {
  if (words.includes('--check')) return process.env;
  const { natsUrl } = await runningInstance(stateDir);
  return { ...process.env, QUARTET_NATS_URL: natsUrl };
};

/**
 * Runs the program of backups in this terminal, which reads the words itself.
 * @throws LocalError `not-running` @returns its exit code
 */
export const runBackupProgram = async (command: 'backup' | 'restore', line: CommandLine): Promise<number> => {
  if (asksForHelp(line.words)) return help({ ...line, words: [command] });
  const env = await surroundings(line);
  const child = spawn(join(programs, 'node'), [main, command, ...line.words], { env, stdio: 'inherit' });
  // Ctrl-C reaches it too, as it is in our group: it ends its work, and says so.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
};
