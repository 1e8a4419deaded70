import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { faultUnderTraffic } from './fault.ts';
import { cutNetwork, killNode, mendNetwork, startNode } from './faults.ts';
import { OldPrimary } from './old-primary.ts';
import { promise } from './promise.ts';

promise(
  'docker kill of a worker that holds primaries: all services go on; started again it recovers',
  300,
  async (scene) => {
    const { cluster, note } = scene;
    const before = await cluster.status('dbshards', 'app-a');
    const { node } = await cluster.pod(before.primary ?? '');
    const story = cluster.story('dbshard/app-a');
    await faultUnderTraffic(
      scene,
      {
        name: 'worker killed',
        recoverWithinMs: 60_000,
        breakIt: async () => {
          await killNode(node);
          await eventually(async () => {
            const after = await cluster.status('dbshards', 'app-a');
            expect(after.primary).toBeTruthy();
            expect(after.primary).not.toBe(before.primary);
          }, 45_000);
          await cluster.nodeIs(node, 'Unknown', 60_000);
        },
        mend: async () => {
          const started = Date.now();
          await startNode(node);
          await cluster.nodeIs(node, 'True', 90_000);
          await cluster.settled(150_000);
          note(`all Ready ${Math.round((Date.now() - started) / 1000)} s after the start`);
        },
      },
      // with the worker a NATS server goes, and JetStream takes 4 to 9 s to elect leaders of streams
      { database: 11_000, chat: 40_000, edge: 30_000, search: 30_000 },
    ).finally(() => story.end());
    note(story.told());
  },
);

promise('a worker cut off with a primary alive on it: the old primary acknowledges nothing', 300, async (scene) => {
  const { cluster, note } = scene;
  const before = await cluster.status('dbshards', 'app-m');
  const primary = await cluster.pod(before.primary ?? '');
  const old = await OldPrimary.start(primary, 'z-fenced');
  let cutAt = 0;
  let mendedAt = 0;
  await faultUnderTraffic(
    scene,
    {
      name: 'worker cut off',
      recoverWithinMs: 60_000,
      breakIt: async () => {
        await cutNetwork(primary.node);
        cutAt = Date.now();
        await eventually(async () => {
          const after = await cluster.status('dbshards', 'app-m');
          expect(after.primary).toBeTruthy();
          expect(after.primary).not.toBe(before.primary);
        }, 45_000);
        await cluster.nodeIs(primary.node, 'Unknown', 60_000);
      },
      mend: async () => {
        mendedAt = Date.now();
        await mendNetwork(primary.node);
        await cluster.nodeIs(primary.node, 'True', 90_000);
        await cluster.settled(150_000);
        note(`all Ready ${Math.round((Date.now() - mendedAt) / 1000)} s after the network came back`);
      },
    },
    { database: 30_000, chat: 40_000, edge: 30_000, search: 30_000 },
  ).finally(() => old.stop());
  const within = (at: number): boolean => at > cutAt && at < mendedAt;
  const asked = old.asked.filter(within).length;
  const acknowledged = old.acknowledged.filter(({ at }) => within(at));
  note(`${asked} writes asked of the old primary while it was cut off, ${acknowledged.length} acknowledged`);
  expect(asked).toBeGreaterThan(0);
  expect(acknowledged).toEqual([]);
});
