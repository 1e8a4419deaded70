/**
 * The program behind `quartet backup` and `quartet restore`; runs wherever NATS is reached:
 *
 *     QUARTET_NATS_URL=nats://… node dataplane/db/backup/main.ts backup DATABASE --to PLACE
 *
 * Ends with 0; 1 when it failed; 2 when what was asked for makes no sense; 130 when it was stopped. One line on standard
 * error says why.
 */
import { BackupError, reasonOf } from './backup-error.ts';
import { readArguments } from './arguments.ts';
import { runBackup, runCheck, runRestore } from './commands.ts';

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

const main = (): Promise<void> => {
  const asked = readArguments(process.argv.slice(2));
  const surroundings = {
    env: process.env,
    signal: stopped.signal,
    say: (text: string) => void process.stdout.write(`${text}\n`),
  };
  if (asked.command === 'backup') return runBackup(asked, surroundings);
  return asked.to === null ? runCheck(asked, surroundings) : runRestore({ ...asked, to: asked.to }, surroundings);
};

const exitCodeOf = (error: unknown): number => {
  if (stopped.signal.aborted) return 130;
  return error instanceof BackupError && error.code === 'invalid' ? 2 : 1;
};

try {
  await main();
  process.exit(0);
} catch (error) {
  // What was foreseen is one line; anything else is a fault of ours and needs its trace.
  const trace = error instanceof Error && !(error instanceof BackupError) ? `\n${error.stack ?? ''}` : '';
  process.stderr.write(`quartet: ${reasonOf(error)}${trace}\n`);
  process.exit(exitCodeOf(error));
}
