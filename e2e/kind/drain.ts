import { expect } from 'vitest';
import { faultUnderTraffic } from './fault.ts';
import { promise } from './promise.ts';

promise(
  'kubectl drain of each worker in turn: nothing acknowledged is lost, primaries move by switchover',
  420,
  async (scene) => {
    const { cluster, note } = scene;
    for (const node of await cluster.openWorkers()) {
      const started = Date.now();
      const report = await faultUnderTraffic(
        scene,
        {
          name: `drain ${node}`,
          breakIt: async () => {
            await cluster.drain(node);
            const left = await cluster.pods();
            expect(left.filter((pod) => pod.node === node && cluster.isDataPlane(pod)).map((pod) => pod.name)).toEqual(
              [],
            );
          },
          mend: async () => {
            await cluster.kubectl('uncordon', node);
            await cluster.settled(120_000);
          },
        },
        { database: 10_000, chat: 20_000, edge: 20_000, search: 20_000 },
      );
      const { edge, search, database, chat } = report;
      const bad = edge.bad + search.bad + database.errors + chat.errors;
      const all = bad + edge.good + search.good + database.acknowledged + chat.acknowledged;
      note(`${node}: error rate ${((100 * bad) / all).toFixed(2)} %, ${Math.round((Date.now() - started) / 1000)} s`);
    }
  },
);
