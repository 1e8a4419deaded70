import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configMaps } from './builtin.ts';
import type { KubeClient } from './client.ts';
import { findCondition } from './conditions.ts';
import type { Manager } from './manager.ts';
import type { KubeObject } from './object.ts';
import { createManager } from './operator-manager.ts';
import { fail, terminal } from './outcome.ts';
import { resource } from './resource.ts';
import { restart, silent, startTestCluster, type TestCluster } from './testing/cluster.ts';
import { countWrites } from './testing/requests.ts';
import { until } from './testing/until.ts';
import { addWidgetController, type WidgetControllerOptions } from './testing/widget-controller.ts';
import { type Widget, widget, widgets } from './testing/widget.ts';

let cluster: TestCluster;
let client: KubeClient;
let namespace: string;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
  client = cluster.client;
});
beforeEach(async () => {
  namespace = await cluster.namespace();
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(() => cluster?.stop());

const run = async (options: WidgetControllerOptions & { http?: boolean } = {}) => {
  const { http, ...rest } = options;
  const metrics = new Registry();
  const own = cluster.connect({ metrics });
  const health = http ? { http: { host: '127.0.0.1', port: 0 } } : {};
  const manager: Manager = createManager({
    client: own,
    log: silent,
    identity: 'test',
    metrics,
    name: 'widget',
    stopDeadlineMs: 1_000,
    ...health,
  });
  const parts = addWidgetController(manager, { namespace, ...rest });
  await manager.start();
  let running = true;
  const stop = async (): Promise<void> => {
    if (!running) return;
    running = false;
    await manager.stop();
    own.close();
  };
  stops.push(stop);
  return { manager, metrics, stop, ...parts };
};

const create = (name: string, size: number): Promise<Widget> => client.create(widgets, widget(name, size, namespace));
const get = (name: string): Promise<Widget> => client.get(widgets, { namespace, name });
const isMade = async (name: string, size: number): Promise<Widget | undefined> => {
  const live = await get(name);
  return live.status?.made === size ? live : undefined;
};
const partNames = async (): Promise<string[]> =>
  (await client.list(configMaps, { namespace, labelSelector: 'app.kubernetes.io/managed-by=widget' })).items
    .map(({ metadata }) => metadata.name)
    .sort();
describe('a controller', () => {
  test('makes what the spec wants, follows its changes, repairs drift, and removes surplus', async () => {
    await run();
    await create('a', 2);
    const made = await until('two parts', () => isMade('a', 2));
    expect(findCondition(made.status?.conditions, 'Ready')).toMatchObject({ status: 'True', observedGeneration: 1 });
    await client.apply(
      widgets,
      { ...widget('a', 1, namespace), spec: { size: 1, note: 'fewer' } },
      { fieldManager: 'test' },
    );
    await until('one part', () => isMade('a', 1));
    await until('surplus is gone', async () => (await partNames()).join() === 'a-0');
    await client.merge(configMaps, { namespace, name: 'a-0' }, { data: { note: 'drifted' } });
    const ref = { namespace, name: 'a-0' };
    await until('drift is repaired', async () => (await client.get(configMaps, ref)).data?.['note'] === 'fewer');
    await client.delete(configMaps, ref);
    await until('a deleted part is made again', async () => (await partNames()).join() === 'a-0');
  });

  test('deletes through its finalizer', async () => {
    await run({ finalizer: true });
    await create('f', 2);
    await until('made', () => isMade('f', 2));
    expect((await get('f')).metadata.finalizers).toEqual(['testing.quartet.dev/parts']);
    await client.delete(widgets, { namespace, name: 'f' });
    await until('all is gone', async () => (await client.list(widgets, { namespace })).items.length === 0);
    expect(await partNames()).toEqual([]);
  });

  test.each([
    ['that its cache does not show', {}],
    ['that its cache shows', { labels: { 'app.kubernetes.io/managed-by': 'widget' } }],
  ])('leaves a foreign object %s alone, and says so in a condition and an Event', async (_, metadata) => {
    const foreign = { apiVersion: 'v1', kind: 'ConfigMap', data: { mine: 'yes' } };
    await client.create(configMaps, { ...foreign, metadata: { name: 'x-0', namespace, ...metadata } });
    const { reconciled } = await run();
    await create('x', 1);
    const live = await until('the status says so', () => isMade('x', 0));
    expect(findCondition(live.status?.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'NameTaken' });
    expect((await client.get(configMaps, { namespace, name: 'x-0' })).data).toEqual({ mine: 'yes' });
    const events = resource<KubeObject & { reason: string; regarding: { name: string } }>(
      'events.k8s.io/v1',
      'Event',
      'events',
    );
    await until('an Event', async () => {
      const { items } = await client.list(events, { namespace });
      return items.some(({ reason, regarding }) => reason === 'NameTaken' && regarding.name === 'x');
    });
    expect(reconciled.length).toBeLessThan(5);
  });

  test('one key that throws, one that hangs and one that fails for good harm no other', async () => {
    const before = async (key: string, signal: AbortSignal) => {
      if (key === `${namespace}/throws`) throw new TypeError('a bug');
      if (key === `${namespace}/terminal`) return terminal(new Error('hopeless'));
      if (key === `${namespace}/fails`) return fail(new Error('not yet'));
      if (key === `${namespace}/hangs`) await new Promise(() => undefined);
      if (key === `${namespace}/slow`) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return undefined;
    };
    const { reconciled, metrics } = await run({
      before,
      concurrency: 1,
      reconcileDeadlineMs: 200,
      backOff: { minMs: 10, maxMs: 50 },
    });
    for (const name of ['throws', 'terminal', 'fails', 'hangs', 'slow', 'good']) await create(name, 1);
    await until('the good one is made', () => isMade('good', 1));
    const runs = (name: string): number => reconciled.filter((key) => key === `${namespace}/${name}`).length;
    await until('failures are retried', () => runs('throws') > 2 && runs('fails') > 2);
    expect([runs('terminal'), runs('hangs')]).toEqual([1, 1]);
    const text = await metrics.metrics();
    expect(text).toMatch(/controller_runtime_reconcile_panics_total\{controller="widget"\} [1-9]/);
    expect(text).toMatch(/controller_runtime_reconcile_timeouts_total\{controller="widget"\} [1-9]/);
    expect(text).toMatch(/controller_runtime_terminal_reconcile_errors_total\{controller="widget"\} 1/);
  }, 30_000);

  test('a thousand settled objects are reconciled again without one write, after a restart too', async () => {
    const first = await run({ concurrency: 8 });
    for (let at = 0; at < 1_000; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => create(`w${at + index}`, 1)));
    }
    await until(
      'all are made',
      async () => first.widgets.list().filter(({ status }) => status?.made === 1).length === 1_000,
      60_000,
    );
    await until('idle', () => first.controller.idle);
    const before = await countWrites(first.metrics);
    first.reconciled.length = 0;
    first.controller.wakeAll();
    await until('all are looked at again', () => first.controller.idle && new Set(first.reconciled).size === 1_000);
    expect((await countWrites(first.metrics)) - before).toBe(0);
    await first.stop();

    const second = await run({ concurrency: 8 });
    await until('all are looked at', () => new Set(second.reconciled).size === 1_000 && second.controller.idle);
    expect(await countWrites(second.metrics)).toBe(0);
  }, 300_000);

  test('health, readiness and metrics are served', async () => {
    const { manager } = await run({ http: true });
    await manager.synced(10_000);
    const fetchText = async (path: string) => {
      const response = await fetch(`http://${manager.address}${path}`);
      return [response.status, await response.text()] as const;
    };
    expect((await fetchText('/healthz'))[0]).toBe(200);
    expect(await fetchText('/readyz')).toEqual([200, '[+] caches\n']);
    manager.readyCheck('nats', () => 'no connection');
    expect(await fetchText('/readyz')).toEqual([503, '[+] caches\n[-] nats: no connection\n']);
    expect((await fetchText('/metrics'))[1]).toContain('workqueue_depth{name="widget"} 0');
    expect((await fetchText('/other'))[0]).toBe(404);
  });
});

test('two operators at once, which a lease prevents, still come to the right end', async () => {
  const both = [await run({ finalizer: true }), await run({ finalizer: true })];
  await Promise.all(Array.from({ length: 20 }, (_, index) => create(`t${index}`, 2)));
  await until('all are made', async () => {
    const { items } = await client.list(widgets, { namespace });
    return items.every(({ status }) => status?.made === 2) && both.every(({ controller }) => controller.idle);
  });
  expect(await partNames()).toHaveLength(40);
  for (const { reconciled } of both) reconciled.length = 0;
  const before = await Promise.all(both.map(({ metrics }) => countWrites(metrics)));
  for (const { controller } of both) controller.wakeAll();
  await until('looked at again', () =>
    both.every(({ controller, reconciled }) => controller.idle && reconciled.length >= 20),
  );
  expect(await Promise.all(both.map(({ metrics }) => countWrites(metrics)))).toEqual(before);
}, 60_000);

describe('the API server goes away', () => {
  test('killed and back: what happened meanwhile is caught up with, nothing crashes', async () => {
    const { manager } = await run();
    await create('k', 1);
    await until('made', () => isMade('k', 1));
    await restart(cluster.controlPlane);
    await client.merge(widgets, { namespace, name: 'k' }, { spec: { size: 3 } });
    await until('the change is carried out', () => isMade('k', 3));
    expect(manager.leading).toBe(true);
  }, 60_000);
});
