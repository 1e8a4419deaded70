import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { promise, type Scene } from './promise.ts';

/** A database of its own, with one key in it. */
const create = async ({ cluster }: Scene, name: string, policy: 'Retain' | 'Delete'): Promise<void> => {
  await cluster.apply({
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'DBShard',
    metadata: { name, namespace: 'default' },
    spec: { database: name, replicas: 2, storage: { size: '64Mi', policy } },
  });
  await cluster.settled(120_000);
  const { host, database: port } = cluster.endpoints;
  const redis = new Redis({ host, port, username: name, password: 'x', maxRetriesPerRequest: 3 });
  redis.on('error', () => {});
  try {
    await eventually(() => redis.set('key', 'value'), 15_000);
  } finally {
    redis.disconnect();
  }
};

const claimsOf = async ({ cluster }: Scene, name: string): Promise<string[]> =>
  (await cluster.list('persistentvolumeclaims'))
    .filter(({ metadata }) => metadata.name.includes(`-${name}-`))
    .map(({ metadata }) => metadata.name);

promise(
  'a deleted DBShard takes its stream with it, and its volumes by policy: Delete or Retain',
  240,
  async (scene) => {
    const { cluster, note } = scene;
    await create(scene, 'e2e-gone', 'Delete');
    await create(scene, 'e2e-kept', 'Retain');
    const kept = await claimsOf(scene, 'e2e-kept');
    expect(await cluster.streams()).toEqual(
      expect.arrayContaining(['QUARTET_default_db_e2e-gone', 'QUARTET_default_db_e2e-kept']),
    );
    const started = Date.now();
    await cluster.kubectl('delete', 'dbshard', 'e2e-gone', 'e2e-kept', '--timeout=60s');
    note(`deleted, finalizers included, in ${Date.now() - started} ms`);
    await eventually(async () => {
      expect((await cluster.streams()).filter((name) => name.includes('e2e-'))).toEqual([]);
      expect(await claimsOf(scene, 'e2e-gone')).toEqual([]);
      const pods = (await cluster.pods()).filter((pod) => /^db-e2e-(gone|kept)-/.test(pod.name));
      expect(pods).toEqual([]);
    }, 60_000);
    expect(await claimsOf(scene, 'e2e-kept')).toEqual(kept);
    expect(kept).toHaveLength(2);
    await cluster.kubectl('delete', 'persistentvolumeclaim', ...kept);
  },
);
