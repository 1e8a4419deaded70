import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startChild } from '../../../local/processes/child.ts';
import { freePort } from '../../../local/processes/ports.ts';
import { until } from '../../../local/processes/until.ts';
import { rawClient } from './raw-client.ts';

/** A real Redis, for comparison. */
export interface RedisServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Fails unless a program of Redis is on PATH. Tests compare with the real ones, so none is skipped without them. */
export const requireRedis = (program: 'redis-server' | 'redis-cli' | 'redis-benchmark'): void => {
  const places = (process.env['PATH'] ?? '').split(delimiter);
  if (places.some((place) => existsSync(join(place, program)))) return;
  throw new Error(`${program} is not on PATH and this test needs it: apt install redis`);
};

/** Starts the `redis-server` that is on PATH, without persistence. Resolves when it answers. */
export const startRedisServer = async (): Promise<RedisServer> => {
  requireRedis('redis-server');
  const dir = mkdtempSync(join(tmpdir(), 'quartet-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
  const child = startChild({
    name: 'redis-server',
    command: 'redis-server',
    args,
    env: process.env,
    log: join(dir, 'log'),
  });
  await until({ what: 'redis-server', timeoutMs: 10_000 }, async () => {
    const client = await rawClient(port);
    client.close();
    return true;
  });
  const stop = async (): Promise<void> => {
    await child.stop(5_000);
    rmSync(dir, { recursive: true, force: true });
  };
  return { port, stop };
};
