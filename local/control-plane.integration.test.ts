import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigMap } from './api/objects.ts';
import { Watch } from './api/watch.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';

describe('control plane', () => {
  let dir: string;
  let plane: ControlPlane;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quartet-plane-'));
    plane = await startControlPlane({ dir });
  });
  afterAll(async () => {
    await plane.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const maps = '/api/v1/namespaces/default/configmaps';
  const create = (name: string) => plane.client.post(maps, { metadata: { name }, data: { name } });

  it('answers its administrator, and nobody without a token', async () => {
    expect(await plane.client.get('/version')).toMatchObject({ major: '1', minor: '34' });
    await expect(fetch(`${plane.url}/version`)).rejects.toThrow();
    const stranger = new (plane.client.constructor as typeof import('./api/client.ts').ApiClient)({
      url: plane.url,
      token: 'wrong',
      certificate: () => import('node:fs/promises').then(({ readFile }) => readFile(plane.certificate)),
    });
    await expect(stranger.get('/version')).rejects.toMatchObject({ status: 401 });
    stranger.close();
  });

  it('takes a DELETE with a body on a connection that goes on', async () => {
    await create('doomed');
    await plane.client.delete(`${maps}/doomed`, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 });
    expect(await plane.client.find(`${maps}/doomed`)).toBeUndefined();
    await plane.client.delete(`${maps}/doomed`);
  });

  it('gives a watch every change, also those made around a crash of the API server', async () => {
    const seen: string[] = [];
    const watch = new Watch<ConfigMap>({
      client: plane.client,
      path: maps,
      onChange: (key, object) => seen.push(`${object ? '+' : '-'}${key}`),
    }).start();
    await create('before');
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('+default/before');
    plane.apiserver.kill('SIGKILL');
    await plane.apiserver.exited;
    expect(watch.items.has('default/before')).toBe(true);
    await plane.apiserver.start();
    await create('after');
    await plane.client.delete(`${maps}/before`);
    await expect
      .poll(() => seen, { timeout: 20_000 })
      .toEqual(expect.arrayContaining(['+default/after', '-default/before']));
    await watch.stop();
    expect(seen.filter((change) => change === '+default/before')).toHaveLength(1);
  });
});
