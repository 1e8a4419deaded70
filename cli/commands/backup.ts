import type { CommandLine } from '../arguments.ts';
import { runBackupProgram } from '../backup-program.ts';

/** `backup DATABASE --to PLACE …`, against this instance. @throws LocalError `not-running` @returns its exit code */
export const backup = (line: CommandLine): Promise<number> => runBackupProgram('backup', line);
