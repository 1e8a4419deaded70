import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startControlPlane, type ControlPlane } from '../../local/control-plane.ts';
import { applyInvalid, showRefusals } from './testing/kubectl-apply.ts';
import { chatRooms, dbBackups, dbShards, edgeNodes, searchShards } from '../kinds.ts';
import type { KubeClient } from '../runtime/client.ts';
import { connectKube } from '../runtime/connection.ts';
import { isKubeError } from '../runtime/kube-error.ts';
import type { KubeObject } from '../runtime/object.ts';
import { resource, type Resource } from '../runtime/resource.ts';

const root = join(import.meta.dirname, '../..');
const definitions = resource<KubeObject>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'cluster',
);
const resources: Readonly<Record<string, Resource<never>>> = {
  EdgeNode: edgeNodes as Resource<never>,
  SearchShard: searchShards as Resource<never>,
  ChatRoom: chatRooms as Resource<never>,
  DBShard: dbShards as Resource<never>,
  DBBackup: dbBackups as Resource<never>,
};

let dir: string;
let plane: ControlPlane;
let client: KubeClient;

const documents = (folder: string): KubeObject[] =>
  readdirSync(join(root, folder)).flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, folder, file), 'utf8')).map((document) => document.toJS() as KubeObject),
  );

const create = (kind: string, spec: object, name = 'x'): Promise<KubeObject> =>
  client.create(
    resources[kind] as Resource,
    {
      apiVersion: 'quartet.dev/v1alpha1',
      kind,
      metadata: { name, namespace: 'default' },
      spec,
    } as KubeObject,
  );

const refusal = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt;
    return 'accepted';
  } catch (error) {
    return isKubeError(error) ? error.message : `unexpected: ${String(error)}`;
  }
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-admission-'));
  plane = await startControlPlane({ dir });
  client = connectKube({ kubeconfig: plane.kubeconfig, rate: { perSecond: 1000, burst: 1000 } });
  for (const definition of documents('crds/generated')) await client.create(definitions, definition);
  const deadline = performance.now() + 30_000;
  for (const kind of Object.values(resources)) {
    while ((await refusal(client.list(kind as Resource))) !== 'accepted') {
      if (performance.now() > deadline) throw new Error('the definitions are not served');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}, 120_000);

afterAll(async () => {
  client?.close();
  await plane?.stop();
  await rm(dir, { recursive: true, force: true });
});

const db = { database: 'app' };
const search = { index: 'products', ordinal: 0, of: 1 };
const edge = { location: { country: 'DE' }, coordinates: '50.11,8.68', origins: [{ url: 'http://origin:80' }] };
const backup = { database: 'app', schedule: '0 3 * * *', destination: { volume: { claimName: 'disk' } } };
describe('what the schema refuses', () => {
  it('as kubectl tells it: docs/invalid-resources.md, of which each line is what a person sees', async () => {
    const refusals = await applyInvalid(plane.kubeconfig, dir);
    expect(refusals.filter(({ message }) => message === '').map(({ title }) => title)).toEqual([]);
    await expect(showRefusals(refusals)).toMatchFileSnapshot(join(root, 'docs/invalid-resources.md'));
  }, 120_000);

  test.each([
    ['with a dot', 'a.b'],
    ['of 41 characters', 'a'.repeat(41)],
  ])('a name %s, for every kind', async (_, name) => {
    for (const [kind, spec] of [
      ['DBShard', db],
      ['SearchShard', search],
      ['ChatRoom', {}],
      ['EdgeNode', edge],
      ['DBBackup', backup],
    ] as const) {
      expect(await refusal(create(kind, spec, name))).toMatch(/metadata\.name must be a DNS label of at most 40/);
    }
  });
});

describe('what may not change', () => {
  const change = async (kind: string, spec: object, changed: object): Promise<string> => {
    const name = `fixed-${kind.toLowerCase()}-${JSON.stringify(spec).length}`;
    await create(kind, spec, name).catch(() => undefined);
    return refusal(client.merge(resources[kind] as Resource, { namespace: 'default', name }, { spec: changed }));
  };

  test.each([
    ['DBShard', db, { database: 'other' }, /database is immutable/],
    ['DBShard', db, { range: { start: 'a' } }, /range is immutable/],
    ['DBShard', db, { splitFrom: { shard: 'app-a' } }, /splitFrom is immutable/],
    ['DBShard', { ...db, splitFrom: { shard: 'a' } }, { splitFrom: { shard: 'b' } }, /splitFrom is immutable/],
    ['DBShard', { ...db, splitFrom: { shard: 'a' } }, { splitFrom: { at: 'm' } }, /splitFrom is immutable/],
    ['DBShard', { ...db, splitFrom: { shard: 'a' } }, { splitFrom: null }, /splitFrom is immutable/],
    [
      'DBShard',
      { ...db, splitFrom: { shard: 'a' } },
      { range: { end: 'm' } },
      /range must be left out beside splitFrom/,
    ],
    [
      'DBShard',
      { ...db, range: { start: 'm' }, mergeInto: 'a' },
      { mergeInto: 'b' },
      /mergeInto cannot change from one shard to another: take it back/,
    ],
    ['DBShard', db, { storage: { size: '2Gi' } }, /storage\.size is immutable/],
    ['DBShard', db, { storage: { className: 'fast' } }, /storage\.className is immutable/],
    ['DBBackup', backup, { database: 'other' }, /database is immutable/],
    ['SearchShard', search, { index: 'other' }, /index is immutable/],
    ['SearchShard', { ...search, of: 2 }, { ordinal: 1 }, /ordinal is immutable/],
    ['SearchShard', search, { of: 3 }, /of is immutable/],
    ['SearchShard', search, { analysis: { analyzer: 'plain' } }, /analysis is immutable/],
  ])('%s %j to %j', async (kind, spec, changed, message) => {
    expect(await change(kind, spec, changed)).toMatch(message);
  });

  it('while a merge may be asked for at any time, also of a new half, and be taken back', async () => {
    const asked = { mergeInto: 'a' };
    expect(await change('DBShard', { ...db, range: { start: 'mm' } }, asked)).toBe('accepted');
    expect(await change('DBShard', { ...db, range: { start: 'mmm' }, ...asked }, { mergeInto: null })).toBe('accepted');
    expect(await change('DBShard', { ...db, splitFrom: { shard: 'abc' } }, asked)).toBe('accepted');
  });

  it('while replicas and policies may', async () => {
    expect(await change('DBShard', db, { replicas: 5, storage: { policy: 'Delete' } })).toBe('accepted');
  });
});

describe('what the server fills in', () => {
  it('all defaults, so that the operator reads whole specs', async () => {
    const made = (await create('DBShard', db, 'defaults')) as KubeObject & { spec: unknown };
    expect(made.spec).toEqual({
      database: 'app',
      range: { start: '', end: '' },
      replicas: 3,
      storage: { size: '1Gi', className: '', policy: 'Retain' },
      failover: { suspectAfter: '1500ms', replaceAfter: '10s' },
    });
  });

  it('also those of a backup', async () => {
    const made = (await create('DBBackup', backup, 'defaults')) as KubeObject & { spec: unknown };
    expect(made.spec).toEqual({
      ...backup,
      destination: { volume: { claimName: 'disk', path: '' } },
      timeZone: 'Etc/UTC',
      keep: 7,
      renewAfter: '23h',
      suspend: false,
      deadline: '1h',
    });
  });

  it('accepts all samples', async () => {
    for (const sample of documents('crds/samples')) {
      const kind = resources[sample.kind];
      if (!kind) continue;
      const metadata = { ...sample.metadata, namespace: 'default' };
      expect(await refusal(client.create(kind as Resource, { ...sample, metadata })), sample.metadata.name).toBe(
        'accepted',
      );
    }
  });
});
