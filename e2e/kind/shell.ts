import { spawn } from 'node:child_process';

/** Runs a program; resolves with its standard output, rejects with all that it printed when it fails or takes too long. */
export const shell = (
  program: string,
  args: readonly string[],
  { timeoutMs = 60_000, env = {} }: { timeoutMs?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const how = signal === null ? `exit code ${code}` : `${signal} after ${timeoutMs} ms`;
      const said = Buffer.concat([...err, ...out])
        .toString()
        .trim()
        .slice(-4_000);
      reject(new Error(`${program} ${args.slice(0, 8).join(' ')}: ${how}: ${said}`));
    });
  });
