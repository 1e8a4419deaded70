import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, runningQuartet } from './quartet.ts';
import { followShards } from './shard-story.ts';
import { DatabaseWriter } from './workloads/database-writer.ts';

const quartet = runningQuartet();
const { host, database: port } = quartet.endpoints;
const database = 'grow';
const shards = ['grow', 'grow-m'];

const open = (): Redis => new Redis({ host, port, username: database, password: 'any', maxRetriesPerRequest: null });

const conditionOf = async (name: string, type: string) =>
  (await quartet.status('dbshards', name)).conditions?.find((one) => one.type === type);

beforeAll(async () => {
  const storage = { size: '64Mi', policy: 'Delete' };
  const spec = { database, replicas: 3, storage };
  await quartet.apply({ apiVersion: 'quartet.dev/v1alpha1', kind: 'DBShard', metadata: { name: 'grow' }, spec });
  await eventually(async () => expect((await conditionOf('grow', 'Ready'))?.status).toBe('True'), 60_000);
});

afterAll(async () => {
  for (const name of shards) await quartet.kubectl('delete', 'dbshard', name, '--ignore-not-found', '--wait=false');
  await eventually(async () => expect(await quartet.pods('db-grow')).toEqual([]), 60_000);
});

test('a shard is split while clients write: nothing is lost, ranges fit all the time, and kubectl tells the story', async () => {
  const redis = open();
  const names = Array.from({ length: 2000 }, (_, i) => `${i % 2 === 0 ? 'b' : 'y'}-${i}`);
  await redis.mset(Object.fromEntries(names.map((name) => [name, `value of ${name}`])));
  const writer = new DatabaseWriter(host, port, { database });
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(200), 20_000, 20);
  writer.outage.reset();
  const seen = followShards(quartet, shards, 'Splitting');
  const out = await quartet.quartet('split', 'grow', '--at', 'm', '--timeout', '100s');
  await seen.stop();
  expect(out).toMatch(/split after [\d.]+ s: grow \["", "m"\), grow-m \["m", end\)/);
  const atSplit = writer.acknowledged;
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(atSplit + 500), 20_000, 20);
  const outageMs = writer.outage.longestMs;
  const report = await writer.finish();
  process.stdout.write(`split under load: ${JSON.stringify({ ...report, outageMs })}\n${seen.lines.join('\n')}\n`);
  expect(report.lost).toEqual([]);
  expect(report.errors).toBe(0);
  expect(outageMs).toBeLessThan(5_000);
  expect(seen.misfits).toEqual([]);
  expect(seen.lines).toContainEqual(expect.stringMatching(/^grow-m: Ready TakingOver, Splitting \w+/));
  const table = await quartet.kubectl('get', 'dbshards');
  expect(table).toMatch(/^grow +grow +m +True +3/m);
  expect(table).toMatch(/^grow-m +grow +m +True +3/m);
  expect(await redis.mget(names)).toEqual(names.map((name) => `value of ${name}`));
  expect(await redis.dbsize()).toBe(names.length + 16);
  redis.disconnect();
});

test('a split that cannot begin says why, and leaves nothing behind', async () => {
  await expect(quartet.quartet('split', 'grow', '--at', 'z')).rejects.toThrow(/"z" is not inside of grow \["", "m"\)/);
  await expect(quartet.quartet('split', 'nobody')).rejects.toThrow(/there is no DBShard nobody; there are .*grow/);
  const names = (await quartet.list('dbshards')).map(({ metadata }) => metadata.name);
  expect(names.filter((name) => name.startsWith('grow'))).toEqual(shards);
});

test('quartet describe tells a person on call about a half: range, members with their age, events, and nothing to do', async () => {
  const text = await quartet.quartet('describe', 'dbshard', 'grow-m');
  expect(text).toMatch(/^DBShard grow-m in namespace default, database grow: Ready/);
  expect(text).toMatch(/Range +\["m", end\), epoch 1, split from grow/);
  expect(text.match(/^db-grow-m-\d +node-\w +\S+ +(primary|following) .* 0\.\d s ago/gm)).toHaveLength(3);
  expect(text).toMatch(/^Elected /m);
  expect(text).toMatch(/nothing: all is as it should be/);
});
