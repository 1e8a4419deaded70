/**
 * The program behind `quartet backup`, `quartet restore` and the pods of a DBBackup; runs wherever NATS is reached:
 *
 *     QUARTET_NATS_URL=nats://… node dataplane/db/backup/main.ts backup DATABASE --to PLACE
 *
 * Ends with 0; 1 when it failed; 2 when what was asked for makes no sense; 130 when it was stopped. One line on standard
 * error says why. With QUARTET_REPORT a backup also writes what it came to into that file (`contract/backup-report.ts`).
 */
import { writeFileSync } from 'node:fs';
import { encodeBackupReport, type BackupReport } from '../../../contract/backup-report.ts';
import { BackupError, reasonOf } from './backup-error.ts';
import { readArguments } from './arguments.ts';
import { runBackup, runCheck, runRestore } from './commands.ts';

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
const late = new AbortController();

const report = (what: BackupReport): void => {
  const path = process.env['QUARTET_REPORT'] ?? '';
  if (path === '') return;
  try {
    writeFileSync(path, encodeBackupReport(what));
  } catch (error) {
    process.stderr.write(`quartet: ${path} cannot be written: ${reasonOf(error)}\n`);
  }
};

const main = async (): Promise<void> => {
  const asked = readArguments(process.argv.slice(2));
  const surroundings = {
    env: process.env,
    signal: AbortSignal.any([stopped.signal, late.signal]),
    say: (text: string) => void process.stdout.write(`${text}\n`),
  };
  if (asked.command === 'backup') {
    const { deadlineMs } = asked;
    if (deadlineMs !== null) setTimeout(() => late.abort(), deadlineMs).unref();
    report(await runBackup(asked, surroundings));
  } else if (asked.to === null) await runCheck(asked, surroundings);
  else await runRestore({ ...asked, to: asked.to }, surroundings);
};

const exitCodeOf = (error: unknown): number => {
  if (stopped.signal.aborted) return 130;
  return error instanceof BackupError && error.code === 'invalid' ? 2 : 1;
};

const messageOf = (error: unknown): string =>
  late.signal.aborted
    ? `not done within the deadline, and given up: allow more time, or look at what is slow (${reasonOf(error)})`
    : reasonOf(error);

try {
  await main();
  process.exit(0);
} catch (error) {
  // What was foreseen is one line; anything else is a fault of ours and needs its trace.
  const trace = error instanceof Error && !(error instanceof BackupError) ? `\n${error.stack ?? ''}` : '';
  process.stderr.write(`quartet: ${messageOf(error)}${trace}\n`);
  report({ ok: false, message: messageOf(error) });
  process.exit(exitCodeOf(error));
}
