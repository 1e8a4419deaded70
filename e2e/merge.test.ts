import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, runningQuartet } from './quartet.ts';
import { followShards } from './shard-story.ts';
import { DatabaseWriter } from './workloads/database-writer.ts';

const quartet = runningQuartet();
const { host, database: port } = quartet.endpoints;
const database = 'shrink';
const shards = ['shrink', 'shrink-m'];
const names = Array.from({ length: 2000 }, (_, i) => `${i % 2 === 0 ? 'b' : 'y'}-${i}`);
/** Collections on both sides of the border: each shard has numbered its own. */
const hashes = ['h-low', 'x-high'];
const fields = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`field-${i}`, `value ${i}`]));

const redis = new Redis({ host, port, username: database, password: 'any', lazyConnect: true });

const conditionOf = async (name: string, type: string) =>
  (await quartet.status('dbshards', name)).conditions?.find((one) => one.type === type);

const expectAll = async (): Promise<void> => {
  expect(await redis.mget(names)).toEqual(names.map((name) => `value of ${name}`));
  for (const hash of hashes) expect(await redis.hgetall(hash)).toEqual(fields);
  expect(await redis.dbsize()).toBe(names.length + hashes.length + 16);
};

beforeAll(async () => {
  const spec = { database, replicas: 3, storage: { size: '64Mi', policy: 'Delete' } };
  await quartet.apply({ apiVersion: 'quartet.dev/v1alpha1', kind: 'DBShard', metadata: { name: 'shrink' }, spec });
  await eventually(async () => expect((await conditionOf('shrink', 'Ready'))?.status).toBe('True'), 60_000);
  await quartet.quartet('split', 'shrink', '--at', 'm', '--timeout', '100s');
  await eventually(async () => {
    await redis.mset(Object.fromEntries(names.map((name) => [name, `value of ${name}`])));
    for (const hash of hashes) await redis.hset(hash, fields);
  }, 30_000);
});

afterAll(async () => {
  redis.disconnect();
  for (const name of shards) await quartet.kubectl('delete', 'dbshard', name, '--ignore-not-found', '--wait=false');
  await eventually(async () => expect(await quartet.pods('db-shrink')).toEqual([]), 60_000);
});

test('what was split is merged again while clients write: nothing is lost, ranges fit all the time, and kubectl tells the story', async () => {
  const writer = new DatabaseWriter(host, port, { database });
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(200), 20_000, 20);
  writer.outage.reset();
  const seen = followShards(quartet, shards, 'Merging');
  const out = await quartet.quartet('merge', 'shrink-m', '--into', 'shrink', '--keep', '--timeout', '100s');
  await seen.stop();
  expect(out).toMatch(/merged after [\d.]+ s: shrink \["", end\); shrink-m has no keys any more, and can be deleted/);
  const atMerge = writer.acknowledged;
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(atMerge + 500), 20_000, 20);
  const outageMs = writer.outage.longestMs;
  const report = await writer.finish();
  process.stdout.write(`merge under load: ${JSON.stringify({ ...report, outageMs })}\n${seen.lines.join('\n')}\n`);
  expect(report.lost).toEqual([]);
  expect(report.errors).toBe(0);
  expect(outageMs).toBeLessThan(5_000);
  expect(seen.misfits).toEqual([]);
  expect(seen.lines).not.toContainEqual(expect.stringMatching(/^shrink: Ready (?!Serving)/));
  await expectAll();
});

test('the upper shard says that it is no longer needed, and what to do about it', async () => {
  const table = await quartet.kubectl('get', 'dbshards');
  expect(table).toMatch(/^shrink-m +shrink +m +m +False .* Merged/m);
  expect((await conditionOf('shrink-m', 'Merged'))?.message).toMatch(/its keys are those of shrink now/);
  const text = await quartet.quartet('describe', 'dbshard', 'shrink-m');
  expect(text).toMatch(/Range +no keys, epoch \d+, split from shrink/);
  expect(text).toMatch(/it is no longer needed: .*\n +kubectl -n default delete dbshard shrink-m/);
});

test('the same command again deletes it, when nobody can ask it any more; what it had is there', async () => {
  const out = await quartet.quartet('merge', 'shrink-m', '--timeout', '100s');
  expect(out).toMatch(/merged after [\d.]+ s: shrink \["", end\)/);
  await eventually(async () => expect(await quartet.pods('db-shrink-m')).toEqual([]), 60_000);
  await expectAll();
  const text = await quartet.quartet('describe', 'dbshard', 'shrink');
  expect(text).toMatch(/Range +\["", end\)/);
  expect(text).toMatch(/nothing: all is as it should be/);
});

test('a merge that cannot begin says why', async () => {
  await expect(quartet.quartet('merge', 'shrink')).rejects.toThrow(/no shard ends where shrink begins/);
  await expect(quartet.quartet('merge', 'shrink', '--into', 'app-a')).rejects.toThrow(/database app, not shrink/);
  await expect(quartet.quartet('merge', '--cancel', 'shrink')).rejects.toThrow(/shrink is not to be merged/);
});

test('what was merged is split and merged once more, while the primaries of both shards die', async () => {
  await quartet.quartet('split', 'shrink', '--at', 'm', '--timeout', '100s');
  await expectAll();
  const merging = quartet.quartet('merge', 'shrink-m', '--timeout', '100s');
  const primaries = await Promise.all(
    shards.map(async (name) => (await quartet.status('dbshards', name)).primary ?? ''),
  );
  const killed = Promise.all(primaries.map((pod) => quartet.quartet('kill', 'pod', pod)));
  const [out] = await Promise.all([merging, killed]);
  expect(out).toMatch(/merged after [\d.]+ s: shrink \["", end\)/);
  await eventually(expectAll, 30_000);
});
