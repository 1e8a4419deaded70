import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbShards } from '../kinds.ts';
import { nodes } from '../runtime/builtin.ts';
import type { KubeObject } from '../runtime/object.ts';
import { resource } from '../runtime/resource.ts';
import { OperatedCluster, until } from '../testing/operated-cluster.ts';

let cluster: OperatedCluster;
const shards = ['one', 'two', 'three'];
const zoneLabel = 'topology.kubernetes.io/zone';

const events = resource<KubeObject & { note?: string; regarding?: { name?: string } }>(
  'events.k8s.io/v1',
  'Event',
  'events',
);

const notes = async (): Promise<string[]> =>
  (await cluster.client.list(events, { namespace: 'default' })).items.map(({ note }) => note ?? '');

const all = async () => (await cluster.client.list(dbShards, { namespace: 'default' })).items;

const nodesOfReplicas = async (): Promise<string[]> =>
  (await all()).flatMap(({ status }) => status?.members?.map(({ node = '' }) => node) ?? []);

const untilWhole = (name: string) =>
  until(
    `${name} is whole`,
    async () => {
      const { status } = await cluster.shard(name);
      return status?.replicas === 3 && status.readyReplicas === 3 ? status : undefined;
    },
    60_000,
  );

/** The most moves that went on at once, until it is asked. */
const mostAtOnce = () => {
  let most = 0;
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const moving = (await all()).filter(({ metadata }) => metadata.annotations?.['quartet.dev/move'] !== undefined);
      most = Math.max(most, moving.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    stop.abort();
    await watching;
    return most;
  };
};

beforeAll(async () => {
  cluster = await OperatedCluster.start({ QUARTET_REBALANCE_OVER: '2s', QUARTET_REBALANCE_PAUSE: '1s' });
  for (const name of shards) await cluster.create(name, { database: name, replicas: 3 });
  for (const name of shards) await untilWhole(name);
}, 120_000);

afterAll(() => cluster?.stop());

describe('balance', () => {
  it('gives an empty node replicas, one move after another, and says why', async () => {
    const most = mostAtOnce();
    await cluster.fakes.start(['node-d']);
    await cluster.client.merge(nodes, { name: 'node-d' }, { metadata: { labels: { [zoneLabel]: 'zone-node-c' } } });
    await until('a replica on node-d', async () => (await nodesOfReplicas()).includes('node-d'), 60_000);
    await until('no move goes on', async () =>
      (await all()).every(({ status }) => status?.move === undefined || status.move.ended !== undefined),
    );
    for (const name of shards) await untilWhole(name);
    expect(await most()).toBe(1);
    const moved = (await all()).flatMap(({ status }) => status?.move ?? []);
    expect(moved[0]).toMatchObject({ phase: 'Moved', from: 'node-c', to: 'node-d', forBalance: true });
    await until('an event', async () =>
      (await notes()).some((note) =>
        /^moved db-\w+-\d from node-c to node-d.*: node-c holds 3 replicas, node-d 0$/.test(note),
      ),
    );
  }, 120_000);

  it('ends, and is silent then', async () => {
    await until(
      'no request for five seconds',
      async () => {
        const before = await cluster.requests();
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        return (await cluster.requests()) === before;
      },
      90_000,
    );
    const places = await nodesOfReplicas();
    const counts = ['node-c', 'node-d'].map((name) => places.filter((node) => node === name).length);
    expect(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0))).toBeLessThanOrEqual(1);
  }, 120_000);

  it('changes the primary, and moves no replica, when work is what is uneven', async () => {
    const members = async () => (await all()).map(({ status }) => status?.members?.map(({ pod }) => pod).toSorted());
    const before = await members();
    // two hot shards that one node leads
    for (const name of ['one', 'two']) {
      const { members: seats = [] } = await untilWhole(name);
      const log = cluster.fakes.logs.get(`db/${name}`);
      if (log === undefined) throw new Error(`no replica of ${name} runs`);
      log.work = 5_000;
      cluster.fakes.lead(seats.find(({ node }) => node === 'node-a')?.pod ?? '');
    }
    await until(
      'an event',
      async () =>
        (await notes()).some((note) =>
          /leads with term \d+: node-\w does \d+ % of all reads and writes, node-\w 0 %/.test(note),
        ),
      120_000,
    );
    expect(await members()).toEqual(before);
    const metrics = await (await fetch(`http://${cluster.operator?.manager.address ?? ''}/metrics`)).text();
    expect(metrics).toMatch(/quartet_primaries_balanced_total\{kind="db"\} [1-9]/);
    expect(metrics).toMatch(/quartet_moves_total\{kind="db",outcome="moved",wanted_by="balance"\} [1-9]/);
  }, 180_000);
});
