import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findTool, toolsCache } from './tools.ts';

describe('where a tool is found', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quartet-tools-'));
    vi.stubEnv('QUARTET_TOOLS_DIR', '');
    vi.stubEnv('XDG_CACHE_HOME', join(dir, 'cache'));
    vi.stubEnv('PATH', join(dir, 'path'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true, force: true });
  });

  const program = async (folder: string, name: string, version: string) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), `#!/bin/sh\necho "${version}"\n`);
    await chmod(join(folder, name), 0o755);
  };

  it('nowhere, when nobody has it', async () => {
    expect(await findTool('etcd')).toBeUndefined();
  });

  it('on PATH, if the version fits', async () => {
    await program(join(dir, 'path'), 'etcd', 'etcd Version: 3.6.16');
    expect(await findTool('etcd')).toBe(join(dir, 'path', 'etcd'));
  });

  it('in the cache, when the one on PATH is of another version', async () => {
    await program(join(dir, 'path'), 'etcd', 'etcd Version: 3.4.30');
    await program(await toolsCache(), 'etcd', 'etcd Version: 3.6.16');
    expect(await findTool('etcd')).toBe(join(await toolsCache(), 'etcd'));
  });

  it('first where QUARTET_TOOLS_DIR says', async () => {
    await program(join(dir, 'path'), 'helm', 'v3.19.5');
    await program(join(dir, 'given'), 'helm', 'v3.19.5');
    vi.stubEnv('QUARTET_TOOLS_DIR', join(dir, 'given'));
    expect(await findTool('helm')).toBe(join(dir, 'given', 'helm'));
  });

  it('in a folder named after the sources that it is built from', async () => {
    const module = join(dir, 'module');
    await mkdir(module);
    await writeFile(join(module, 'go.mod'), 'module a\n');
    const before = await toolsCache(module);
    expect(await toolsCache(module)).toBe(before);
    await writeFile(join(module, 'main.go'), 'package main\n');
    expect(await toolsCache(module)).not.toBe(before);
  });
});
