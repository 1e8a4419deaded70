import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { KindError } from './kind-error.ts';

const defaultTimeoutMs = 60_000;

/** How a program is run. */
export interface RunOptions {
  /** Its standard input; nothing by default. */
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** It is killed after this time. */
  readonly timeoutMs?: number;
}

/** The last line that says something, without the ways in which programs begin an error. Pure. */
export const lastLine = (output: string): string => {
  const lines = output.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line !== '') ?? '').replace(/^(error|ERROR|Error|E):\s*/, '');
};

/** What a program left when it ended. */
interface Ended {
  readonly output: Buffer;
  readonly problems: string;
  readonly code: number | null;
  /** It was killed at its deadline. */
  readonly late: boolean;
}

const runToEnd = async (command: string, args: readonly string[], options: RunOptions): Promise<Ended> => {
  const { input = '', env = {}, cwd, timeoutMs = defaultTimeoutMs } = options;
  const child = spawn(command, [...args], { env: { ...process.env, ...env }, stdio: 'pipe', cwd });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  try {
    const [output, problems, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
    return { output, problems, code, late };
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Runs a program and returns what it printed, as bytes.
 * @throws KindError `command-failed` with its last line
 */
export const runForBytes = async (
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> => {
  const said = `${command} ${args[0] ?? ''}`.trim();
  const { output, problems, code, late } = await runToEnd(command, args, options).catch((error: unknown) => {
    throw new KindError('command-failed', `${said} cannot be run: ${String(error)}`, error);
  });
  if (code === 0) return output;
  const { timeoutMs = defaultTimeoutMs } = options;
  if (late) throw new KindError('command-failed', `${said} did not end within ${timeoutMs / 1000} s`);
  const why = lastLine(problems) || lastLine(output.toString()) || `it ended with code ${code}`;
  throw new KindError('command-failed', `${said} failed: ${why}`, new Error(problems));
};

/** As `runForBytes`, for programs that print text. @throws KindError `command-failed` */
export const run = async (command: string, args: readonly string[], options?: RunOptions): Promise<string> =>
  (await runForBytes(command, args, options)).toString();

/** Whether a program ends well. */
export const succeeds = async (command: string, args: readonly string[], options?: RunOptions): Promise<boolean> =>
  runForBytes(command, args, options).then(
    () => true,
    () => false,
  );
