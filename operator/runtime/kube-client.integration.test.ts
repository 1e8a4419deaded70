import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, leases, pods } from './builtin.ts';
import type { KubeErrorCode } from './kube-error.ts';
import { startCutProxy } from './testing/cut-proxy.ts';
import { startTestCluster, type TestCluster } from './testing/cluster.ts';
import { widget, widgets } from './testing/widget.ts';
import { microTime } from './lease.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster?.stop());

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const fieldManager = 'test';

describe('reads and writes', () => {
  test('server-side apply creates, changes, and gives up fields that are no longer sent', async () => {
    const { client } = cluster;
    await client.apply(configMaps, configMap('apply', { a: '1', b: '2' }), { fieldManager });
    const second = await client.apply(configMaps, configMap('apply', { a: '3' }), { fieldManager });
    expect(second.data).toEqual({ a: '3' });
    const same = await client.apply(configMaps, configMap('apply', { a: '3' }), { fieldManager });
    expect(same.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });

  test('a status is applied without touching the spec, and a spec without touching the status', async () => {
    const { client } = cluster;
    await client.apply(widgets, widget('status', 2), { fieldManager });
    await client.applyStatus(widgets, { ...widget('status', 99), status: { made: 1 } }, { fieldManager });
    const changed = await client.apply(widgets, widget('status', 3), { fieldManager });
    expect([changed.spec.size, changed.status?.made]).toEqual([3, 1]);
  });

  test('lists come in pages, each object with its type', async () => {
    const { client } = cluster;
    for (let i = 0; i < 7; i += 1) {
      await client.create(configMaps, {
        ...configMap(`page-${i}`),
        metadata: { name: `page-${i}`, namespace: 'default', labels: { page: 'yes' } },
      });
    }
    const names: string[] = [];
    let next: string | undefined;
    do {
      const page = await client.list(configMaps, {
        labelSelector: 'page=yes',
        limit: 3,
        ...(next && { continue: next }),
      });
      expect(page.items.length).toBeLessThanOrEqual(3);
      for (const item of page.items) {
        expect(item.kind).toBe('ConfigMap');
        names.push(item.metadata.name);
      }
      next = page.continue;
    } while (next);
    expect(names.sort()).toEqual(Array.from({ length: 7 }, (_, i) => `page-${i}`));
  });

  test('deleting what is not there is an answer, not an error', async () => {
    expect(await cluster.client.delete(configMaps, { namespace: 'default', name: 'nobody' })).toBe(false);
  });

  test('a Lease keeps microseconds', async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'micro', namespace: 'default' },
      spec: { holderIdentity: 'me', renewTime: microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) },
    };
    expect((await cluster.client.create(leases, lease)).spec?.renewTime).toBe('2026-01-02T03:04:05.678000Z');
  });

  test('requests are counted by code, method and resource', async () => {
    const metrics = new Registry();
    const client = cluster.connect({ metrics });
    await client.get(configMaps, { namespace: 'default', name: 'nobody' }).catch(() => undefined);
    expect(await metrics.metrics()).toContain(
      'rest_client_requests_total{method="GET",resource="configmaps",code="404"} 1',
    );
    client.close();
  });
});

describe('preconditions', () => {
  test('an apply with the uid of another object is refused, whether the name exists or not', async () => {
    const { client } = cluster;
    await client.create(configMaps, configMap('uid'));
    for (const name of ['uid', 'uid-nobody']) {
      const desired = configMap(name);
      const apply = client.apply(
        configMaps,
        { ...desired, metadata: { ...desired.metadata, uid: '00000000-0000-4000-8000-000000000000' } },
        { fieldManager },
      );
      await expect(apply).rejects.toMatchObject({ name: 'KubeError', code: 'conflict' });
    }
  });

  test('a metadata patch on an old version is refused', async () => {
    const { client } = cluster;
    const first = await client.create(configMaps, configMap('patch'));
    await client.patchMetadata(configMaps, first.metadata, { labels: { a: 'b' } });
    const late = client.patchMetadata(configMaps, first.metadata, { finalizers: ['quartet.dev/test'] });
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a delete with the uid of an earlier object spares the new one', async () => {
    const { client } = cluster;
    await client.create(configMaps, configMap('reborn'));
    const wrong = client.delete(configMaps, configMap('reborn').metadata, {
      uid: '00000000-0000-4000-8000-000000000000',
    });
    await expect(wrong).rejects.toMatchObject({ code: 'conflict' });
    expect((await client.get(configMaps, configMap('reborn').metadata)).metadata.name).toBe('reborn');
  });
});

describe('errors have codes', () => {
  const cases: readonly [string, KubeErrorCode, () => Promise<unknown>][] = [
    ['an object that is not there', 'not-found', () => cluster.client.get(pods, { namespace: 'default', name: 'x' })],
    ['a kind that is not served', 'not-found', () => cluster.client.list({ ...widgets, plural: 'gadgets' })],
    [
      'a name that is taken',
      'exists',
      async () => {
        await cluster.client.create(configMaps, configMap('taken'));
        await cluster.client.create(configMaps, configMap('taken'));
      },
    ],
    [
      'a value that the schema refuses',
      'invalid',
      () => cluster.client.apply(widgets, widget('bad', 'large' as unknown as number), { fieldManager }),
    ],
    [
      'an object without its parts',
      'invalid',
      () => cluster.client.apply(pods, { ...configMap('x'), kind: 'Pod' }, { fieldManager }),
    ],
    ['a deadline that has passed', 'timeout', () => cluster.client.list(configMaps, { deadlineMs: 0 })],
    ['the caller giving up', 'aborted', () => cluster.client.list(configMaps, { signal: AbortSignal.abort() })],
  ];
  test.each(cases)('%s: %s', async (_, code, run) => {
    await expect(run()).rejects.toMatchObject({ name: 'KubeError', code });
  });

  test('a server that falls silent: timeout, and the next call goes by a new connection', async () => {
    const proxy = await startCutProxy(cluster.port);
    const client = cluster.connect({ kubeconfig: await cluster.kubeconfigVia(proxy.port) });
    await client.list(configMaps);
    proxy.freeze();
    await expect(client.list(configMaps, { deadlineMs: 200 })).rejects.toMatchObject({ code: 'timeout' });
    await client.list(configMaps);
    client.close();
    await proxy.close();
  });

  test('a wrong token: unauthorized; nobody listening: unavailable', async () => {
    const closed = cluster.connect({ kubeconfig: await cluster.kubeconfigVia(9) });
    await expect(closed.list(configMaps)).rejects.toMatchObject({ code: 'unavailable' });
    closed.close();
  });
});
