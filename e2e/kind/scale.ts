import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { faultUnderTraffic } from './fault.ts';
import { promise } from './promise.ts';
import type { Scene } from './promise.ts';

const shard = 'app-a';
const replicasOf = async ({ cluster }: Scene) =>
  (await cluster.pods(`db-${shard}-`)).filter((pod) => pod.ready).map((pod) => pod.node);

const scaleTo = async (scene: Scene, replicas: number): Promise<void> => {
  const started = Date.now();
  await scene.cluster.kubectl('scale', 'dbshard', shard, `--replicas=${replicas}`);
  await eventually(async () => {
    const nodes = await replicasOf(scene);
    expect(nodes).toHaveLength(replicas);
    expect(new Set(nodes).size, 'never two replicas of a set on one node').toBe(replicas);
  }, 120_000);
  await scene.cluster.settled(90_000);
  scene.note(`${replicas} replicas Ready after ${Math.round((Date.now() - started) / 1000)} s`);
};

promise(
  'kubectl scale beyond the nodes that there are: Degraded says so, and never two replicas on one node',
  240,
  async (scene) => {
    const { cluster, note } = scene;
    const nodes = await cluster.openWorkers();
    await cluster.kubectl('scale', 'dbshard', shard, `--replicas=${nodes.length + 2}`);
    await eventually(async () => {
      const degraded = (await cluster.status('dbshards', shard)).conditions?.find(({ type }) => type === 'Degraded');
      expect(degraded?.status).toBe('True');
      expect(degraded?.message).toMatch(/node/);
      note(`Degraded: ${degraded?.message}`);
    }, 60_000);
    const used = await replicasOf(scene);
    expect(new Set(used).size).toBe(used.length);
    await cluster.kubectl('scale', 'dbshard', shard, '--replicas=3');
    await cluster.settled(60_000);
  },
);

promise(
  'kubectl scale 3 -> 5 -> 3 under load: replicas are built and removed, nothing acknowledged is lost',
  300,
  async (scene) => {
    const { cluster } = scene;
    await cluster.openSpareWorkers();
    await faultUnderTraffic(
      scene,
      { name: 'scale', breakIt: () => scaleTo(scene, 5), mend: () => scaleTo(scene, 3) },
      { database: 8_000, chat: 4_000, edge: 4_000, search: 4_000 },
    );
  },
);
