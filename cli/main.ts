import { LocalError, reasonOf } from '../local/errors.ts';
import { readCommandLine, type CommandLine } from './arguments.ts';

type Run = (line: CommandLine) => Promise<number> | number;

/** Each command is loaded when it is asked for: `kubectl` must not wait for what `up` needs. */
const commands: Readonly<Record<string, () => Promise<Run>>> = {
  up: async () => (await import('./commands/up.ts')).up,
  down: async () => (await import('./commands/down.ts')).down,
  status: async () => (await import('./commands/status.ts')).status,
  kill: async () => (await import('./commands/faults.ts')).kill,
  revive: async () => (await import('./commands/faults.ts')).revive,
  logs: async () => (await import('./commands/logs.ts')).logs,
  split: async () => (await import('./commands/split.ts')).split,
  move: async () => (await import('./commands/move.ts')).move,
  merge: async () => (await import('./commands/merge.ts')).merge,
  describe: async () => (await import('./commands/describe.ts')).describe,
  backup: async () => (await import('./commands/backup.ts')).backup,
  restore: async () => (await import('./commands/restore.ts')).restore,
  kubectl: async () => (await import('./commands/kubectl.ts')).kubectl,
  tools: async () => (await import('./commands/tools.ts')).tools,
  help: async () => (await import('./commands/help.ts')).help,
};

const main = async (): Promise<number> => {
  const line = readCommandLine(process.argv.slice(2), process.env);
  const load = commands[line.command];
  if (load === undefined) {
    throw new LocalError('invalid', `no command ${line.command}: \`./quartet help\` lists what there is`);
  }
  return (await load())(line);
};

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  // What was foreseen is one line; anything else is a fault of ours and needs its trace.
  console.error(`quartet: ${error instanceof LocalError ? error.message : reasonOf(error)}`);
  if (!(error instanceof LocalError) && error instanceof Error) console.error(error.stack);
}
