import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const quartet = join(import.meta.dirname, '..', 'quartet');

describe('quartet', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quartet-cli-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const run = (args: string, env: NodeJS.ProcessEnv = {}) =>
    new Promise<{ code: number; out: string; error: string }>((resolve) => {
      const words = args.split(' ').filter(Boolean);
      const all = { ...process.env, QUARTET_STATE: join(dir, 'state'), NATS: '', ...env };
      execFile(quartet, words, { env: all, timeout: 50_000 }, (failure, out, error) => {
        const code = failure === null ? 0 : Number(failure.code ?? 1);
        resolve({ code, out, error });
      });
    });
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );

  it('lists what there is', async () => {
    const { code, out } = await run('');
    expect(code).toBe(0);
    for (const command of [
      'up',
      'down',
      'status',
      'kill node',
      'revive node',
      'kill pod',
      'logs',
      'split',
      'describe',
      'kubectl',
    ]) {
      expect(out).toContain(`./quartet ${command}`);
    }
  });

  it.each([
    ['fly', /^quartet: no command fly: .*\n$/],
    ['status', /^quartet: Quartet is not running: .*\n$/],
    ['split', /^quartet: say .*split SHARD; --help tells more\n$/],
    ['split app-a', /^quartet: Quartet is not running: .*\n$/],
    ['describe dbshard app-a', /^quartet: Quartet is not running: .*\n$/],
    ['kubectl get pods', /^quartet: Quartet is not running: .*\n$/],
    ['kill node node-a', /^quartet: Quartet is not running: .*\n$/],
    ['kill house', /^quartet: say .*kill node NAME.*\n$/],
    ['revive node', /^quartet: say .*revive node NAME\n$/],
    ['up --nats 2', /^quartet: --nats 2: must be 1 or 3\n$/],
  ])('%s fails with one line', async (args, expected) => {
    const { code, error } = await run(args);
    expect(code).toBe(1);
    expect(error).toMatch(expected);
  });

  it.each(['split', 'describe'])('%s --help tells about it', async (command) => {
    const { code, out } = await run(`${command} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^\\./quartet ${command} .*--kubeconfig FILE`, 's'));
  });

  it.each(['backup', 'restore'])('%s --help tells about it', async (command) => {
    const { code, out } = await run(`${command} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^\\./quartet ${command} .*--endpoint URL`, 's'));
  });

  it('a backup that is only checked needs no Quartet that runs', async () => {
    const { code, error } = await run('restore --from /nonexistent --check');
    expect(code).toBe(1);
    expect(error).toBe('quartet: /nonexistent holds no finished backup\n');
  });

  it('down is content when nothing runs', async () => {
    expect(await run('down')).toEqual({ code: 0, out: 'not running\n', error: '' });
  });

  it('up refuses a port that is used by another program, and starts nothing', async () => {
    const address = '127.254.253.7';
    const server = createServer().listen(9200, address);
    await once(server, 'listening');
    const { code, error } = await run(`up --address ${address}`);
    server.close();
    expect(code).toBe(1);
    expect(error).toMatch(/^quartet: 127\.254\.253\.7 port 9200 is used by another program: .*\n$/);
    expect(await exists(join(dir, 'state'))).toBe(false);
  });

  it('up says what to do with a state directory of another version, and leaves it alone', async () => {
    await mkdir(join(dir, 'state'));
    await writeFile(join(dir, 'state', 'instance.json'), '{"layout":0}');
    const { code, error } = await run('up');
    expect(code).toBe(1);
    expect(error).toMatch(/^quartet: .* was made by another version of Quartet .*: remove .*\n$/);
  });

  it('up needs Go when the tools are not built, and says so', async () => {
    // A PATH with what the shim needs and nothing else.
    await mkdir(join(dir, 'bin'));
    await symlink('/usr/bin/dirname', join(dir, 'bin', 'dirname'));
    const env = { QUARTET_TOOLS_DIR: '', XDG_CACHE_HOME: join(dir, 'cache'), PATH: join(dir, 'bin') };
    const { code, error } = await run('up', env);
    expect(code).toBe(1);
    expect(error).toMatch(/^quartet: Go is missing \(.*\n$/);
    expect(await exists(join(dir, 'state'))).toBe(false);
  });
});
