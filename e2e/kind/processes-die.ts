import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { faultUnderTraffic } from './fault.ts';
import { killContainers } from './faults.ts';
import { promise } from './promise.ts';

promise('kill -9 of a primary: no acknowledged write is lost, another leads with a higher term', 240, async (scene) => {
  const { cluster, note } = scene;
  const before = await cluster.status('dbshards', 'app-a');
  const primary = await cluster.pod(before.primary ?? '');
  const story = cluster.story('dbshard/app-a');
  await faultUnderTraffic(
    scene,
    {
      name: 'primary killed',
      breakIt: async () => {
        await killContainers(primary);
        await eventually(async () => {
          const after = await cluster.status('dbshards', 'app-a');
          expect(after.primary).toBeTruthy();
          expect(after.term).toBeGreaterThan(before.term ?? 0);
        }, 30_000);
      },
      mend: () => cluster.settled(),
    },
    { database: 5_000, chat: 4_000, edge: 4_000 },
  ).finally(() => story.end());
  note(story.told());
  expect(story.rows.some(({ text }) => text.includes(primary.name))).toBe(true);
  expect(story.rows.some(({ text }) => / False | True [012] /.test(text))).toBe(true);
  expect(story.rows.at(-1)?.text).toMatch(/ True 3 /);
});

promise(
  'the operator that leads is deleted without grace: no service notices, the other takes over',
  240,
  async (scene) => {
    const { cluster, note } = scene;
    const before = await cluster.operatorLeader();
    await faultUnderTraffic(
      scene,
      {
        name: 'operator deleted',
        breakIt: async () => {
          const started = Date.now();
          await cluster.kubectl('delete', 'pod', '-n', cluster.namespace, before, '--grace-period=0', '--force');
          await eventually(async () => expect(await cluster.operatorLeader()).not.toBe(before), 45_000);
          note(`another operator led after ${Date.now() - started} ms`);
        },
        mend: () => cluster.settled(),
      },
      { database: 4_000, chat: 4_000, edge: 4_000, search: 4_000 },
    );
  },
);

promise('the operator that leads is killed by kill -9: no service notices, one leads again', 240, async (scene) => {
  const { cluster, note } = scene;
  const leader = await cluster.pod(await cluster.operatorLeader());
  await faultUnderTraffic(
    scene,
    {
      name: 'operator killed',
      breakIt: async () => {
        await killContainers(leader);
        const killed = Date.now();
        await eventually(async () => expect(await cluster.leaseRenewedAt()).toBeGreaterThan(killed), 45_000);
        note(`one led after ${Date.now() - killed} ms`);
      },
      mend: () => cluster.settled(),
    },
    { database: 4_000, chat: 4_000, edge: 4_000, search: 4_000 },
  );
});
