import type { CommandLine } from '../arguments.ts';
import { runBackupProgram } from '../backup-program.ts';

/** `restore --from PLACE …`, against this instance. @throws LocalError `not-running` @returns its exit code */
export const restore = (line: CommandLine): Promise<number> => runBackupProgram('restore', line);
