import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from './until.ts';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A supervisor with one child that ignores SIGTERM and has a child of its own, in a session of its own. */
const source = `
import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'child.ts'))};
import { reaper } from ${JSON.stringify(join(import.meta.dirname, 'reaper.ts'))};
const log = process.argv[2];
const script = 'trap "" TERM; setsid sleep 1000 & echo $! > "$0"; wait';
const child = startChild({ name: 'child', command: 'sh', args: ['-c', script, log + '.pid'], log });
console.log(JSON.stringify({ child: child.pid, reaper: reaper.pid }));
setInterval(() => undefined, 1000);
`;

describe('reaper', () => {
  let dir: string;
  let parent: ChildProcess;
  let pids: { child: number; reaper: number };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quartet-reaper-'));
    await writeFile(join(dir, 'parent.ts'), source);
    parent = spawn(process.execPath, [join(dir, 'parent.ts'), join(dir, 'log')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout! }), 'line')) as [string];
    pids = JSON.parse(line) as typeof pids;
  });
  afterEach(async () => {
    parent.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });

  const grandchild = () =>
    until({ what: 'the grandchild', timeoutMs: 10_000 }, async () => {
      const { readFile } = await import('node:fs/promises');
      return Number(await readFile(join(dir, 'log.pid'), 'utf8')) || undefined;
    });
  const gone = (pid: number) =>
    until({ what: `the end of ${pid}`, timeoutMs: 20_000 }, () => (isAlive(pid) ? undefined : true));

  it('leaves no process when its owner is killed with SIGKILL, not even in another session', async () => {
    const other = await grandchild();
    expect([pids.child, pids.reaper, other].every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await Promise.all([gone(pids.child), gone(other), gone(pids.reaper)]);
  });

  it('cannot be talked out of it by signals', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pids.reaper, signal);
    parent.kill('SIGKILL');
    await gone(pids.child);
  });

  it('is replaced when it is killed itself', async () => {
    process.kill(pids.reaper, 'SIGKILL');
    await gone(pids.reaper);
    const other = await grandchild();
    // The new one is there once the old one's end was noticed; until then a second kill would race with it.
    await until({ what: 'the new reaper', timeoutMs: 10_000 }, async () => {
      const { execFileSync } = await import('node:child_process');
      const children = execFileSync('ps', ['-o', 'args=', '--ppid', String(parent.pid)], { encoding: 'utf8' });
      return children.includes('reaper.sh') && !children.includes('<defunct>') ? true : undefined;
    });
    parent.kill('SIGKILL');
    await Promise.all([gone(pids.child), gone(other)]);
  });
});
