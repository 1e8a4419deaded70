import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { ask, steady, steadyValue, workWhile } from '../testing/gateway-works.ts';
import { rangeSeen } from '../testing/range-watch.ts';
import { rawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-merged-'));
let cluster: DbCluster;

beforeAll(async () => {
  const shards = [
    { name: 'app-0', start: '', end: 'm' },
    { name: 'app-1', start: 'm', end: '' },
  ];
  cluster = await startDbCluster({ dir, members: 2, shards });
  const client = await rawClient(cluster.port);
  for (const key of steady) await client.command('SET', key, steadyValue);
  client.close();
}, 120_000);

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

test('clients of every kind see a merge as a slower answer', async () => {
  await workWhile(cluster, async () => {
    await cluster.change('app-0', { mergeFrom: { shard: 'app-1' } });
    await rangeSeen(cluster, 'app-1', 'empty', ({ start, end, handed }) => start === end && handed === undefined);
    await rangeSeen(cluster, 'app-0', 'whole', ({ start, end, intake }) => start === end && intake === undefined);
  });
  const client = await rawClient(cluster.port);
  expect(String(await ask(client, 'INFO', 'shards'))).toMatch(/name=app-0,from=,to=,epoch=2,/);
  expect(await ask(client, 'FLUSHALL')).toBe('OK');
  expect(await ask(client, 'DBSIZE')).toBe(0);
  client.close();
}, 180_000);
