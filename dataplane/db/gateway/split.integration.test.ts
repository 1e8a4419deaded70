import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from '../testing/cluster.ts';
import { ask, overNatsOf, steady, steadyValue, workWhile } from '../testing/gateway-works.ts';
import { plain, rawClient, type RawClient } from '../testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-moved-'));
let cluster: DbCluster;
let setter: RawClient;
/** Who watches while the shard is split. */
const watching: RawClient[] = [];

beforeAll(async () => {
  cluster = await startDbCluster({ dir, members: 2 });
  setter = await rawClient(cluster.port);
  for (const key of steady) await setter.command('SET', key, steadyValue);
}, 120_000);

afterAll(async () => {
  setter.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

const overNats = (verb: string | undefined, body: unknown): Promise<Record<string, unknown>> =>
  overNatsOf(cluster)(verb, body);

test('clients of every kind see a split as a slower answer', async () => {
  const watcher = await rawClient(cluster.port);
  watching.push(watcher);
  await ask(watcher, 'QWATCH', '');
  const split = async (): Promise<void> => {
    await cluster.addShard({ name: 'app-1', start: '', end: '', splitFrom: { shard: 'app-0', at: 'm' } }, 2);
    await cluster.makeFirstPrimary('app-1');
    await until({ what: 'the split to end', timeoutMs: 60_000 }, () => {
      const range = cluster.report('app-1-m0')?.range;
      return range !== undefined && range.epoch > 0 && range.intake === undefined ? true : undefined;
    });
  };
  await workWhile(cluster, split);
  const shards = String(await ask(setter, 'INFO', 'shards'));
  expect(shards).toMatch(/name=app-0,from=,to=m,epoch=1,/);
  expect(shards).toMatch(/name=app-1,from=m,to=,epoch=1,/);
}, 180_000);

test('a sequence of before a split is not taken for one of the new shard', async () => {
  const before = await overNats('changes', { prefix: 'y:', from: 1 });
  expect(before['error']).toMatch(/^CROSSSHARD .*app-1/);
  expect(await overNats('changes', { prefix: 'y:', shard: 'app-0', from: 1 })).toHaveProperty(
    'error',
    expect.stringMatching(/^COMPACTED .*app-1/),
  );
  const now = await overNats('changes', { prefix: 'y:' });
  await ask(setter, 'SET', 'y:changed', '1');
  const found = await overNats('changes', { prefix: 'y:', shard: now['shard'], from: now['next'], waitMs: 5_000 });
  expect((found['changes'] as { key: string }[]).at(-1)).toMatchObject({ key: 'y:changed', value: '1' });
});

test('a watch ends at the split and says what to do; begun anew it tells each change once, and nothing of what is swept', async () => {
  const [gone] = watching.splice(0);
  if (!gone) throw new Error('nobody watched');
  const told: unknown[] = [];
  for (let message = plain(await gone.next()); ; message = plain(await gone.next())) {
    told.push(message);
    if (String((message as unknown[])[1]).startsWith('-')) break;
  }
  expect(told.at(-1)).toEqual(['qwatch', expect.stringMatching(/^-COMPACTED .*now app-0, app-1.*watch without FROM$/)]);
  expect(await ask(gone, 'QWATCH', 'y:', 'FROM', '1')).toMatch(/^-CROSSSHARD .*say FROM app-1:1$/);
  const cursor = String(await ask(gone, 'QWATCH', '', 'FROM', 'app-0:1'));
  expect(cursor).toMatch(/^-COMPACTED/);
  expect(await ask(gone, 'QWATCH', '')).toMatch(/^app-0:\d+,app-1:\d+$/);
  const expected = ['b:told', 'y:told'].flatMap((key) => [`put ${key}`, `delete ${key}`]);
  for (const key of ['b:told', 'y:told'])
    for (const words of [
      ['SET', key, '1'],
      ['DEL', key],
    ])
      await ask(setter, ...words);
  const rows: string[] = [];
  while (rows.filter((row) => row.endsWith(':told')).length < expected.length) {
    const [, , changes] = plain(await gone.next()) as [string, string, [string, string][]];
    rows.push(...changes.map(([kind, key]) => `${kind} ${key}`));
  }
  for (const half of ['b:', 'y:']) {
    const ofHalf = (row: string): boolean => row.includes(` ${half}told`);
    expect(rows.filter(ofHalf)).toEqual(expected.filter(ofHalf));
  }
  expect(rows.filter((row) => row.startsWith('delete') && row.includes(':steady:'))).toEqual([]);
  gone.close();
});

test('FLUSHALL empties both halves', async () => {
  expect(await ask(setter, 'FLUSHALL')).toBe('OK');
  expect(await ask(setter, 'DBSIZE')).toBe(0);
});
