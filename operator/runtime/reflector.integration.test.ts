import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigMap, configMaps } from './builtin.ts';
import type { KubeClient } from './client.ts';
import { runtimeMetrics } from './metrics.ts';
import { keyOf } from './object.ts';
import { ObjectStore } from './object-store.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import { silent, startTestCluster, type TestCluster } from './testing/cluster.ts';
import { type CutProxy, startCutProxy } from './testing/cut-proxy.ts';
import { until } from './testing/until.ts';
import { dropBulk } from './trim.ts';

let cluster: TestCluster;
let client: KubeClient;
let namespace: string;
let proxy: CutProxy;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
  client = cluster.client;
});
beforeEach(async () => {
  namespace = await cluster.namespace();
  proxy = await startCutProxy(cluster.port);
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await proxy.close();
});
afterAll(() => cluster?.stop());

const configMap = (name: string, value: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { mirrored: 'yes' } },
  data: { value },
});
const put = (name: string, value: string) => client.apply(configMaps, configMap(name, value), { fieldManager: 'test' });

/** A reflector behind the proxy. */
const mirror = async (timing: Partial<ReflectorTiming> = {}) => {
  const registry = new Registry();
  const through = cluster.connect({ kubeconfig: await cluster.kubeconfigVia(proxy.port), metrics: registry });
  const store = new ObjectStore<ConfigMap>(configMaps);
  const metrics = runtimeMetrics(registry);
  const options = { client: through, store, log: silent, metrics, trim: dropBulk<ConfigMap>, timing };
  const reflector = new Reflector({ ...options, namespace, labelSelector: 'mirrored=yes' });
  const end = new AbortController();
  const running = reflector.run(end.signal);
  stops.push(async () => {
    end.abort();
    await running;
    through.close();
  });
  await until('the first list', () => store.synced);
  const value = (name: string): string | undefined => store.get({ namespace, name })?.data?.['value'];
  const lists = async (reason: string): Promise<number> => {
    const counter = await registry.getSingleMetric('reflector_lists_total')?.get();
    return counter?.values.find(({ labels }) => labels['reason'] === reason)?.value ?? 0;
  };
  return { store, value, lists, registry };
};

describe('a cache', () => {
  test('fills from pages and follows additions, changes and deletions, without bulk', async () => {
    for (let at = 0; at < 520; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => put(`many-${at + index}`, 'x')));
    }
    const { store, value } = await mirror();
    expect(store.size).toBe(520);
    await put('many-7', 'y');
    await put('new', 'z');
    await client.delete(configMaps, { namespace, name: 'many-8' });
    await until('followed', () => value('many-7') === 'y' && value('new') === 'z' && store.size === 520);
    expect(store.get({ namespace, name: 'new' })?.metadata).not.toHaveProperty('managedFields');
  });

  test('an object that leaves the selector leaves the cache', async () => {
    await put('label', '1');
    const { store, value } = await mirror();
    expect(value('label')).toBe('1');
    await client.patchMetadata(configMaps, { namespace, name: 'label' }, { labels: { mirrored: 'no' } });
    await until('gone', () => store.size === 0);
  });
});

describe('a watch that breaks', () => {
  test('cut in the middle: resumed from where it was, without a new list, and nothing is missed', async () => {
    const { value, lists } = await mirror();
    for (let round = 0; round < 5; round += 1) {
      proxy.cut();
      await put('cut', String(round));
      await until('caught up', () => value('cut') === String(round));
    }
    expect(await lists('gone')).toBe(0);
  });

  test('a delete during the outage is noticed', async () => {
    await put('victim', '1');
    const { store } = await mirror();
    proxy.refuse(true);
    proxy.cut();
    await client.delete(configMaps, { namespace, name: 'victim' });
    proxy.refuse(false);
    await until('gone', () => store.size === 0);
  });

  test('dead without a word: noticed by its silence', async () => {
    const { value } = await mirror({ quietMs: 1_000 });
    proxy.freeze();
    await put('silent', '1');
    await until('noticed', () => value('silent') === '1', 5_000);
  });

  test('a watch ended by the server in time goes on', async () => {
    const { value, registry } = await mirror({ watchSeconds: [1, 1] });
    await until('ended twice', async () =>
      /reflector_watches_total\{resource="configmaps",end="server"\} [2-9]/.test(await registry.metrics()),
    );
    await put('later', '1');
    await until('followed', () => value('later') === '1');
  });

  test('410: the version was compacted during the outage: a new list, and handlers see what changed', async () => {
    await put('stays', '1');
    await put('changes', '1');
    await put('goes', '1');
    const { store, value, lists } = await mirror();
    const seen: string[] = [];
    store.subscribe((change) => seen.push(`${change.type} ${keyOf(change.object).split('/')[1]}`));
    seen.length = 0;
    proxy.refuse(true);
    proxy.cut();
    await put('changes', '2');
    await put('comes', '1');
    await client.delete(configMaps, { namespace, name: 'goes' });
    const last = await put('comes', '2');
    await cluster.compact(last.metadata.resourceVersion ?? '');
    proxy.refuse(false);
    await until('listed again', () => value('comes') === '2' && value('goes') === undefined);
    expect(await lists('gone')).toBe(1);
    expect(seen.sort()).toEqual(['added comes', 'deleted goes', 'updated changes']);
  }, 60_000);
});
