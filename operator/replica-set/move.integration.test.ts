import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dbShards, searchShards, type SearchShard } from '../kinds.ts';
import { nodes, pods, type Node } from '../runtime/builtin.ts';
import type { KubeObject } from '../runtime/object.ts';
import { resource } from '../runtime/resource.ts';
import { OperatedCluster, until } from '../testing/operated-cluster.ts';

let cluster: OperatedCluster;
const zoneLabel = 'topology.kubernetes.io/zone';

const ref = (name: string) => ({ namespace: 'default', name });

const ask = async (name: string, move: string | null): Promise<void> => {
  const patch = { metadata: { annotations: { 'quartet.dev/move': move } } };
  await cluster.client.merge(dbShards, ref(name), patch);
};

/** Where its replicas are: `db-app-0 node-a`. */
const placesOf = async (name: string): Promise<string[]> =>
  ((await cluster.shard(name)).status?.members ?? []).map(({ pod, node }) => `${pod} ${node}`);

const untilWhole = (name: string, replicas = 3) =>
  until(
    `${name} is whole`,
    async () => {
      const { status } = await cluster.shard(name);
      const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
      return isReady && status?.replicas === replicas && status.readyReplicas === replicas ? status : undefined;
    },
    30_000,
  );

/** The move is over when the wish for it is gone. */
const untilOver = (name: string) =>
  until(
    `the move of ${name} is over`,
    async () => {
      const shard = await cluster.shard(name);
      return shard.metadata.annotations?.['quartet.dev/move'] === undefined ? shard.status?.move : undefined;
    },
    30_000,
  );

type Status = NonNullable<Awaited<ReturnType<typeof untilWhole>>>;

/** The node that holds no replica. */
const freeNode = (members: Status['members'] = []): string =>
  ['node-a', 'node-b', 'node-c', 'node-d'].find((name) => !members.some(({ node }) => node === name)) ?? '';

/** The replica in the zone of the free node, which may move there. */
const whoMayMove = ({ members = [], nextReplica = 0 }: Status) => {
  const zoneOf = (node: string) => cluster.operator?.operation.nodes.get(node)?.zone;
  const free = freeNode(members);
  const old = members.find(({ node = '' }) => zoneOf(node) === zoneOf(free))?.pod ?? '';
  return { free, old, made: `db-app-${nextReplica}` };
};

const events = resource<KubeObject & { note?: string; reason?: string; regarding?: { name?: string } }>(
  'events.k8s.io/v1',
  'Event',
  'events',
);

const untilTold = (name: string, note: RegExp) =>
  until(`an event ${note.source}`, async () => {
    const { items } = await cluster.client.list(events, { namespace: 'default' });
    return items.some((event) => event.regarding?.name === name && note.test(event.note ?? ''));
  });

/** The fewest replicas that had caught up while something was done. */
const fewestReady = (name: string) => {
  const seen: number[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      seen.push((await cluster.shard(name)).status?.readyReplicas ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    stop.abort();
    await watching;
    return Math.min(...seen);
  };
};

const settle = () =>
  until('no request for a second', async () => {
    const before = await cluster.requests();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return (await cluster.requests()) === before;
  });

beforeAll(async () => {
  cluster = await OperatedCluster.start({ QUARTET_REBALANCE: 'false' });
  await cluster.create('app', { replicas: 3, failover: { replaceAfter: '1s' } });
  await untilWhole('app');
  await cluster.fakes.start(['node-d']);
  // beside node-c, so that what moves between the two is spread as well as before
  await cluster.client.merge(nodes, { name: 'node-d' }, { metadata: { labels: { [zoneLabel]: 'zone-node-c' } } });
  await until(
    'node-d is in the zone of node-c',
    async () => cluster.operator?.operation.nodes.get('node-d')?.zone === 'zone-node-c',
  );
}, 120_000);

afterAll(() => cluster?.stop());

describe('a move of a replica that somebody asks for', () => {
  it('makes the new replica first, then the old one goes, and says so', async () => {
    const [old = ''] = (await placesOf('app'))
      .filter((place) => place.endsWith('node-c'))
      .map((it) => it.split(' ')[0]);
    const fewest = fewestReady('app');
    await ask('app', `${old} to node-d`);
    const move = await untilOver('app');
    expect(move).toMatchObject({ replica: old, from: 'node-c', to: 'node-d', phase: 'Moved', forBalance: false });
    await untilWhole('app');
    expect(await fewest()).toBeGreaterThanOrEqual(3);
    expect(await placesOf('app')).toContain(`${move.replacement} node-d`);
    expect((await placesOf('app')).join()).not.toMatch(/node-c/);
    expect(await cluster.condition('app', 'Moving')).toMatchObject({ status: 'False', reason: 'Moved' });
    await untilTold('app', new RegExp(`moved ${old} from node-c to node-d`));
    await until('the pod of the old one is gone', async () => {
      const { items } = await cluster.client.list(pods, { namespace: 'default' });
      return !items.some(({ metadata }) => metadata.name === old);
    });
  }, 60_000);

  it('of the primary: another one leads first', async () => {
    const before = await untilWhole('app');
    const seat = before.members?.find(({ pod }) => pod === before.primary);
    // its place in its zone is the only one that has another node beside it
    const zone = seat?.node === 'node-d' ? 'zone-node-c' : `zone-${seat?.node ?? ''}`;
    await cluster.client.merge(nodes, { name: 'node-c' }, { metadata: { labels: { [zoneLabel]: zone } } });
    await until('node-c is in that zone', async () => cluster.operator?.operation.nodes.get('node-c')?.zone === zone);
    await ask('app', `${before.primary ?? ''} to node-c`);
    expect(await untilOver('app')).toMatchObject({ phase: 'Moved', from: seat?.node, to: 'node-c' });
    const after = await untilWhole('app');
    expect(after.primary).not.toBe(before.primary);
    expect(after.term).toBe((before.term ?? 0) + 1);
  }, 60_000);

  it('goes on under an operator that starts in the middle', async () => {
    const before = await untilWhole('app');
    const { old, free, made } = whoMayMove(before);
    // the new replica does not come up before the other operator is there
    cluster.fakes.killProcess(made);
    await ask('app', `${old} to ${free}`);
    await cluster.untilReason('app', 'Moving', 'Copying');
    await until(
      'the pod of the new replica',
      async () => (await cluster.shard('app')).status?.move?.replacement !== undefined,
    );
    await cluster.stopOperator();
    await cluster.startOperator();
    cluster.fakes.reviveProcess(made);
    expect(await untilOver('app')).toMatchObject({
      phase: 'Moved',
      to: free,
      replacement: made,
    });
    expect((await untilWhole('app')).members?.map(({ node }) => node)).toContain(free);
  }, 90_000);

  it('is given up when its node dies in the middle, and the set is whole', async () => {
    const before = await untilWhole('app');
    const { old, free, made } = whoMayMove(before);
    cluster.fakes.killProcess(made);
    await ask('app', `${old} to ${free}`);
    await until('its pod', async () => (await cluster.shard('app')).status?.move?.replacement === made);
    await cluster.fakes.killNode(free);
    expect(await untilOver('app')).toMatchObject({ phase: 'GivenUp', replica: old, replacement: made });
    const after = await untilWhole('app');
    expect(after.members?.map(({ pod }) => pod).toSorted()).toEqual(before.members?.map(({ pod }) => pod).toSorted());
    await cluster.fakes.setReady(free, true);
  }, 90_000);

  it('is given up when the wish is taken back in the middle: the new replica goes', async () => {
    const before = await untilWhole('app');
    const { old, free, made } = whoMayMove(before);
    cluster.fakes.killProcess(made);
    await ask('app', `${old} to ${free}`);
    await until('its pod', async () => (await cluster.shard('app')).status?.move?.replacement === made);
    await ask('app', null);
    await cluster.untilReason('app', 'Moving', 'Withdrawn');
    cluster.fakes.reviveProcess(made);
    const after = await untilWhole('app');
    expect(after.members?.map(({ pod }) => pod).toSorted()).toEqual(before.members?.map(({ pod }) => pod).toSorted());
    expect(after.primary).toBe(before.primary);
  }, 60_000);

  it.each([
    ['db-app-99', 'NoSuchReplica', /there is no replica db-app-99; there are db-app-/],
    ['db-app-99 to nowhere', 'NoSuchReplica', /there is no replica/],
  ])(
    '%s is refused, and nothing goes on then',
    async (wish, reason, message) => {
      await ask('app', wish);
      const move = await untilOver('app');
      expect(move).toMatchObject({ phase: 'Refused', reason });
      expect(move.message).toMatch(message);
      expect((await cluster.condition('app', 'Moving'))?.message).toMatch(message);
    },
    60_000,
  );

  it('to a node that there is not, is closed, or holds a replica is refused', async () => {
    const { members = [] } = await untilWhole('app');
    const free = freeNode(members);
    const [one, other] = members;
    await cluster.client.merge(nodes, { name: free }, { spec: { unschedulable: true } } as Partial<Node>);
    await until('it is closed', async () => cluster.operator?.operation.nodes.get(free)?.usable === false);
    for (const [to, reason] of [
      ['node-x', 'NoSuchNode'],
      [free, 'NodeNotUsable'],
      [other?.node ?? '', 'NodeHoldsReplica'],
      [one?.node ?? '', 'AlreadyThere'],
    ] as const) {
      await ask('app', `${one?.pod ?? ''} to ${to}`);
      expect(await untilOver('app'), to).toMatchObject({ phase: 'Refused', reason });
    }
    await cluster.client.merge(nodes, { name: free }, { spec: { unschedulable: null } });
  }, 90_000);

  it('of the only replica of a set: the new one leads, then the old one goes', async () => {
    await cluster.create('one', { database: 'one', replicas: 1 });
    const before = await untilWhole('one', 1);
    await ask('one', before.primary ?? '');
    expect(await untilOver('one')).toMatchObject({ phase: 'Moved', replica: before.primary });
    const after = await untilWhole('one', 1);
    expect(after.primary).toBe('db-one-1');
    expect(after.members).toHaveLength(1);
  }, 60_000);

  it('of a SearchShard goes the same way', async () => {
    const metadata = { name: 'words', namespace: 'default' };
    const spec = { index: 'words', ordinal: 0, of: 1, replicas: 1 };
    const shard = { apiVersion: 'quartet.dev/v1alpha1', kind: 'SearchShard', metadata, spec };
    await cluster.client.create(searchShards, shard as unknown as SearchShard);
    const look = async () => (await cluster.client.get(searchShards, ref('words'))).status;
    await until('it has a primary', async () => (await look())?.primary === 'search-words-0');
    const patch = { metadata: { annotations: { 'quartet.dev/move': 'search-words-0' } } };
    await cluster.client.merge(searchShards, ref('words'), patch);
    const { move } = await until('it is moved', async () => {
      const status = await look();
      return status?.move?.phase === 'Moved' ? status : undefined;
    });
    expect(move).toMatchObject({ replica: 'search-words-0', replacement: 'search-words-1' });
  }, 60_000);

  it('leaves a set that asks for nothing', async () => {
    await settle();
    const before = await cluster.requests();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await cluster.requests()).toBe(before);
  }, 60_000);

  it('is counted', async () => {
    const metrics = await (await fetch(`http://${cluster.operator?.manager.address ?? ''}/metrics`)).text();
    expect(metrics).toMatch(/quartet_moves_total\{kind="db",outcome="moved",wanted_by="person"\} [1-9]/);
    expect(metrics).toMatch(/quartet_node_load\{node="node-a",of="replicas"\} [0-9]/);
  });
});
