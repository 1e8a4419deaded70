import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configMaps, deployments, persistentVolumeClaims, podDisruptionBudgets, pods, services } from './builtin.ts';
import type { ReconcileContext } from './controller.ts';
import type { KubeObject } from './object.ts';
import { createManager } from './operator-manager.ts';
import { done } from './outcome.ts';
import type { Resource } from './resource.ts';
import { silent, startTestCluster, type TestCluster } from './testing/cluster.ts';
import { countWrites } from './testing/requests.ts';
import { until } from './testing/until.ts';
import { type Widget, widget, widgets } from './testing/widget.ts';

let cluster: TestCluster;
let namespace: string;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
});
beforeEach(async () => {
  namespace = await cluster.namespace();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => cluster?.stop());

/** A controller of one widget whose reconcile is the test's; `again` runs it once more and resolves with the writes it made. */
const control = async (reconcile: (widget: Widget, context: ReconcileContext) => Promise<unknown>) => {
  const metrics = new Registry();
  const client = cluster.connect({ metrics });
  const manager = createManager({ client, metrics, log: silent, identity: 'test', stopDeadlineMs: 1_000 });
  const cache = manager.cache(widgets, { namespace });
  for (const resource of [pods, services, configMaps, persistentVolumeClaims, deployments, podDisruptionBudgets]) {
    manager.cache(resource as Resource, { namespace });
  }
  let runs = 0;
  const errors: unknown[] = [];
  const controller = manager.controller<Widget>({
    name: 'writer-test',
    of: cache,
    backOff: { minMs: 5, maxMs: 50 },
    async reconcile(key, context) {
      const widget = cache.get(key);
      if (widget !== undefined)
        await reconcile(widget, context).catch((error: unknown) => {
          errors.push(error);
          throw error;
        });
      runs += 1;
      return done;
    },
  });
  await manager.start();
  stops.push(async () => {
    await manager.stop();
    client.close();
  });
  await cluster.client.create(widgets, widget('w', 1, namespace));
  await until('the first run', () => runs > 0 && controller.idle);
  const again = async (): Promise<number> => {
    const [writes, before] = [await countWrites(metrics), runs];
    controller.wakeAll();
    await until('another run', () => runs > before && controller.idle);
    return (await countWrites(metrics)) - writes;
  };
  return { again, errors, metrics, writes: () => countWrites(metrics) };
};

interface Applied extends KubeObject {
  readonly spec?: object;
}
const as = (resource: object): Resource<Applied> => resource as Resource<Applied>;
const container = { name: 'c', image: 'i', resources: { requests: { cpu: '1000m', memory: '1024Mi' } } };
const labels = { app: 'w' };

describe('what is applied is applied once', () => {
  const cases: readonly [string, Resource<Applied>, Omit<Applied, 'metadata'>][] = [
    [
      'a Pod, with quantities that the server writes in another way',
      as(pods),
      { apiVersion: 'v1', kind: 'Pod', spec: { containers: [container], volumes: [{ name: 'v', emptyDir: {} }] } },
    ],
    [
      'a Service, with ports that the server completes',
      as(services),
      {
        apiVersion: 'v1',
        kind: 'Service',
        spec: {
          selector: labels,
          ports: [
            { name: 'a', port: 80 },
            { name: 'b', port: 81 },
          ],
        },
      },
    ],
    [
      'a PersistentVolumeClaim',
      as(persistentVolumeClaims),
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2048Mi' } } },
      },
    ],
    [
      'a Deployment',
      as(deployments),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [container] } },
        },
      },
    ],
    [
      'a PodDisruptionBudget',
      as(podDisruptionBudgets),
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
      },
    ],
  ];
  test.each(cases)('%s', async (_, resource, object) => {
    const desired: Applied = { ...object, metadata: { name: 'd', namespace } };
    const { again, writes, errors } = await control((owner, { writer }) => writer.apply(resource, { desired, owner }));
    expect([await writes(), errors]).toEqual([1, []]);
    expect([await again(), await again()]).toEqual([0, 0]);
  });

  test('and again when it drifts or a field is given up', async () => {
    let data: Record<string, string> = { a: '1', b: '2' };
    const { again } = await control((owner, { writer }) =>
      writer.apply(configMaps, {
        desired: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'd', namespace }, data },
        owner,
      }),
    );
    data = { a: '1' };
    expect(await again()).toBe(1);
    const read = async () => (await cluster.client.get(configMaps, { namespace, name: 'd' })).data;
    expect(await read()).toEqual({ a: '1' });
    expect(await again()).toBe(0);
  });

  test('a status too; an object that is gone is no error', async () => {
    const { again, writes } = await control(async (owner, { writer }) => {
      await writer.status(widgets, owner, { made: 3 });
      const nobody = { ...owner, metadata: { ...owner.metadata, name: 'nobody' } };
      expect(await writer.status(widgets, nobody, { made: 4 })).toBe('absent');
    });
    expect(await writes()).toBe(2);
    // The absent one is asked for again each time.
    expect(await again()).toBe(1);
  });

  test('labels and annotations', async () => {
    const { again, writes } = await control((owner, { writer }) =>
      writer.annotate(widgets, owner, { labels: { role: 'primary', old: null }, annotations: { note: 'x' } }),
    );
    expect([await writes(), await again()]).toEqual([1, 0]);
  });
});

test('a removal spares an object that took the name meanwhile, and is asked for once', async () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'd', namespace } };
  const first = await cluster.client.create(configMaps, object);
  await cluster.client.delete(configMaps, object.metadata);
  await cluster.client.create(configMaps, object);
  const results: string[] = [];
  await control(async (_, { writer }) => results.push(await writer.remove(configMaps, first)));
  expect(results[0]).toBe('absent');
  expect((await cluster.client.get(configMaps, object.metadata)).metadata.name).toBe('d');
});

test('a conflict is not an error: the key is tried again on what is there then', async () => {
  let stale: Widget | undefined;
  const { errors } = await control(async (owner, { writer }) => {
    if (stale === undefined) {
      stale = owner;
      await cluster.client.patchMetadata(widgets, owner.metadata, { labels: { hurry: 'yes' } });
      await writer.addFinalizer(widgets, stale, 'quartet.dev/test');
    }
    await writer.addFinalizer(widgets, owner, 'quartet.dev/test');
  });
  expect(errors).toEqual([expect.objectContaining({ code: 'conflict' })]);
  const live = await cluster.client.get(widgets, { namespace, name: 'w' });
  expect([live.metadata.labels, live.metadata.finalizers]).toEqual([{ hurry: 'yes' }, ['quartet.dev/test']]);
});
