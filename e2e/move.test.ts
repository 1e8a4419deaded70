import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, runningQuartet } from './quartet.ts';
import { DatabaseWriter } from './workloads/database-writer.ts';

const quartet = runningQuartet();
const { host, database: port } = quartet.endpoints;
const name = 'travel';
const resource = `dbshard/${name}`;

const status = () => quartet.status('dbshards', name);

const nodesOf = async () =>
  (await quartet.list('nodes')).map(({ metadata }) => ({
    name: metadata.name,
    zone: metadata.labels?.['topology.kubernetes.io/zone'],
  }));

/** The node without a replica, and the replica beside it in its zone: the only one that may move there. */
const journey = async () => {
  const { members = [] } = await status();
  const nodes = await nodesOf();
  const free = nodes.find((node) => !members.some((member) => member.node === node.name));
  const zoneOf = (node: string) => nodes.find((one) => one.name === node)?.zone;
  const traveller = members.find(({ node }) => zoneOf(node) === free?.zone);
  return { to: free?.name ?? '', from: traveller?.node ?? '', pod: traveller?.pod ?? '' };
};

const whole = () =>
  eventually(async () => {
    const { members = [], readyReplicas, primary } = await status();
    expect({ members: members.length, readyReplicas }).toEqual({ members: 3, readyReplicas: 3 });
    expect(primary).toBeDefined();
    return members;
  }, 120_000);

/** Makes a replica the primary: the nodes of the others are cordoned for a moment. */
const makePrimary = async (pod: string): Promise<void> => {
  const { members = [], primary } = await status();
  if (primary === pod) return;
  const others = members.filter((member) => member.pod !== pod).map(({ node }) => node);
  for (const node of others) await quartet.kubectl('cordon', node);
  await eventually(async () => expect((await status()).primary).toBe(pod), 60_000);
  for (const node of others) await quartet.kubectl('uncordon', node);
};

beforeAll(async () => {
  const storage = { size: '64Mi', policy: 'Delete' };
  const spec = { database: name, replicas: 3, storage };
  await quartet.apply({ apiVersion: 'quartet.dev/v1alpha1', kind: 'DBShard', metadata: { name }, spec });
  await whole();
});

afterAll(async () => {
  for (const { name: node } of await nodesOf()) await quartet.kubectl('uncordon', node);
  await quartet.kubectl('delete', 'dbshard', name, '--ignore-not-found', '--wait=false');
  await eventually(async () => expect(await quartet.pods(`db-${name}`)).toEqual([]), 60_000);
});

test('the replica that leads moves to an empty node while clients write: nothing is lost, and there are never fewer than three', async () => {
  const { pod, from, to } = await journey();
  await makePrimary(pod);
  const writer = new DatabaseWriter(host, port, { database: name });
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(200), 20_000, 20);
  writer.outage.reset();
  const counts: number[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) counts.push((await quartet.pods(`db-${name}-`)).length);
  })();
  const began = performance.now();
  const out = await quartet.quartet('move', resource, pod, '--to', to, '--timeout', '110s');
  const tookMs = Math.round(performance.now() - began);
  stop.abort();
  await watching;
  const atEnd = writer.acknowledged;
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(atEnd + 500), 20_000, 20);
  const outageMs = writer.outage.longestMs;
  const report = await writer.finish();
  process.stdout.write(`move under load: ${JSON.stringify({ ...report, outageMs, tookMs })}\n`);
  expect(out).toContain(`moved ${pod} from ${from} to ${to}`);
  expect(report.lost).toEqual([]);
  expect(report.errors).toBe(0);
  expect(outageMs).toBeLessThan(5_000);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(3);
  const members = await whole();
  expect(members.map(({ node }) => node)).toContain(to);
  expect(members.map((member) => member.pod)).not.toContain(pod);
  expect((await status()).primary).not.toBe(pod);
});

test('a move that cannot be says why, and kubectl tells of the one that was', async () => {
  const { pod, from } = await journey();
  const move = (...words: string[]) => quartet.quartet('move', resource, ...words);
  await expect(move(pod, '--to', 'node-x')).rejects.toThrow(/there is no node node-x; there are .*node-a/);
  await expect(move(pod, '--to', from)).rejects.toThrow(new RegExp(`${pod} is on ${from} already`));
  await expect(move('--cancel')).rejects.toThrow(/dbshard\/travel is not asked for a move/);
  await expect(move('db-travel-77')).rejects.toThrow(/there is no replica db-travel-77; there are db-travel-/);
  await expect(quartet.quartet('move', name, pod)).rejects.toThrow(/say dbshard\/NAME or searchshard\/NAME/);
  const text = await quartet.quartet('describe', 'dbshard', name);
  expect(text).toMatch(/^Moved .* moved db-travel-\d from node-\w to node-\w/m);
  expect(text).toMatch(/^MoveRefused /m);
});

test('a move without a node, by an annotation', async () => {
  const { pod, from, to } = await journey();
  await quartet.kubectl('annotate', resource, `quartet.dev/move=${pod}`);
  await eventually(async () => {
    const [shard] = (await quartet.list('dbshards')).filter(({ metadata }) => metadata.name === name);
    expect(shard?.metadata.annotations?.['quartet.dev/move']).toBeUndefined();
    const moving = shard?.status?.conditions?.find(({ type }) => type === 'Moving');
    expect(moving?.message).toContain(`moved ${pod} from ${from} to ${to}`);
  }, 110_000);
  await whole();
});
