import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { LocalError } from '../local/errors.ts';
import { tool, type ToolName } from '../local/tools.ts';

/** The useful part of what a Go program says when it fails: its last line without the "Error:". */
export const lastLine = (output: string): string =>
  (output.trim().split('\n').at(-1) ?? '').replace(/^(Error:|error:)\s*/, '').trim();

/**
 * Runs a tool and returns what it printed.
 * @throws LocalError `start-failed` with its last line when it fails
 */
export const runTool = async (
  name: ToolName,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<string> => {
  const child = spawn(await tool(name), [...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [output, problems, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code === 0) return output;
  throw new LocalError('start-failed', `${name} ${args[0] ?? ''} failed: ${lastLine(problems || output)}`);
};

/** Runs a tool in the terminal of this process. @returns its exit code */
export const passToTool = async (
  name: ToolName,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> => {
  const child = spawn(await tool(name), [...args], { env: { ...process.env, ...env }, stdio: 'inherit' });
  // Ctrl-C reaches it too, as it is in our group; it decides what that means.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
};
