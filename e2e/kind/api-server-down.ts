import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { faultUnderTraffic } from './fault.ts';
import { startApiServer, stopApiServer } from './faults.ts';
import { promise } from './promise.ts';

/** How long it is away. It is the fault itself, not a wait for something. */
const awayMs = 60_000;

promise(
  'without an API server for 60 s all four services keep serving; all catches up after it',
  300,
  async (scene) => {
    const { cluster, note } = scene;
    await faultUnderTraffic(
      scene,
      {
        name: 'API server down',
        breakIt: async () => {
          await stopApiServer(cluster.controlPlane);
          await sleep(awayMs);
        },
        mend: async () => {
          await startApiServer(cluster.controlPlane);
          const started = Date.now();
          await eventually(() => cluster.kubectl('get', '--raw', '/readyz'), 120_000, 500);
          note(`API server back after ${Math.round((Date.now() - started) / 1000)} s`);
          await cluster.settled(90_000);
        },
      },
      { database: 4_000, chat: 4_000, edge: 4_000, search: 4_000 },
    );
  },
);
