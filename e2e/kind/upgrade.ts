import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { faultUnderTraffic } from './fault.ts';
import { promise } from './promise.ts';

const shards = ['app-a', 'app-m'];

promise(
  'helm upgrade to another image under load: every pod is replaced, primaries last, nothing lost',
  420,
  async (scene) => {
    const { cluster, note } = scene;
    const image = await cluster.tagImage('e2e-next');
    const stories = shards.map((shard) => cluster.story(`dbshard/${shard}`));
    try {
      await faultUnderTraffic(
        scene,
        {
          name: 'upgrade',
          breakIt: () => cluster.install('e2e-next'),
          mend: async () => {
            const started = Date.now();
            const rolled = async () => {
              const pods = (await cluster.pods()).filter((pod) => cluster.isDataPlane(pod));
              expect(pods.filter((pod) => !pod.images.includes(image)).map((pod) => pod.name)).toEqual([]);
            };
            await eventually(rolled, 270_000, 1_000);
            await cluster.settled(60_000);
            note(`rolled in ${Math.round((Date.now() - started) / 1000)} s`);
          },
        },
        { database: 10_000, chat: 20_000, edge: 10_000, search: 10_000 },
      );
    } finally {
      for (const story of stories) story.end();
    }
    const pods = await cluster.pods('db-');
    for (const [i, shard] of shards.entries()) {
      const byAge = pods.filter((pod) => pod.name.startsWith(`db-${shard}-`)).toSorted((a, b) => a.created - b.created);
      // who led when the first one was replaced: until then the lead may change for balance
      const told = stories[i]?.at(byAge[0]?.created ?? 0);
      expect(told, `the last replaced pod of ${shard} was its primary`).toContain(byAge.at(-1)?.name);
    }
  },
);
