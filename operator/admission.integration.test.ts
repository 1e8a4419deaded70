import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startControlPlane, type ControlPlane } from '../local/control-plane.ts';
import { chatRooms, dbShards, edgeNodes, searchShards } from './kinds.ts';
import type { KubeClient } from './runtime/client.ts';
import { connectKube } from './runtime/connection.ts';
import { isKubeError } from './runtime/kube-error.ts';
import type { KubeObject } from './runtime/object.ts';
import { resource, type Resource } from './runtime/resource.ts';

const root = join(import.meta.dirname, '..');
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
const origin = edge.origins[0];

const refused: readonly (readonly [what: string, kind: string, spec: object, message: RegExp])[] = [
  ['a shard without a database', 'DBShard', {}, /spec\.database: Required/],
  ['a database in capitals', 'DBShard', { database: 'App' }, /spec\.database.*should match/],
  ['a database with no name', 'DBShard', { database: '' }, /spec\.database/],
  [
    'a range that ends before it starts',
    'DBShard',
    { ...db, range: { start: 'm', end: 'a' } },
    /spec\.range.*start must be lower/,
  ],
  ['an empty range', 'DBShard', { ...db, range: { start: 'm', end: 'm' } }, /spec\.range.*start must be lower/],
  ['a bound of 257 characters', 'DBShard', { ...db, range: { start: 'x'.repeat(257) } }, /spec\.range\.start.*256/],
  ['no replica', 'DBShard', { ...db, replicas: 0 }, /spec\.replicas.*greater than or equal to 1/],
  ['ten replicas', 'DBShard', { ...db, replicas: 10 }, /spec\.replicas.*less than or equal to 9/],
  ['half a replica', 'DBShard', { ...db, replicas: 1.5 }, /spec\.replicas/],
  [
    'storage that is too small',
    'DBShard',
    { ...db, storage: { size: '1Mi' } },
    /spec\.storage\.size.*between 16Mi and 64Ti/,
  ],
  ['storage that is no quantity', 'DBShard', { ...db, storage: { size: 'much' } }, /spec\.storage\.size/],
  [
    'an unknown volume policy',
    'DBShard',
    { ...db, storage: { policy: 'Keep' } },
    /spec\.storage\.policy.*Unsupported value/,
  ],
  [
    'suspecting too soon',
    'DBShard',
    { ...db, failover: { suspectAfter: '10ms' } },
    /suspectAfter.*between 500ms and 1m/,
  ],
  ['replacing too late', 'DBShard', { ...db, failover: { replaceAfter: '48h' } }, /replaceAfter.*between 1s and 24h/],
  ['a duration in days', 'DBShard', { ...db, failover: { replaceAfter: '1d' } }, /spec\.failover\.replaceAfter/],
  ['a shard without an index', 'SearchShard', { ordinal: 0, of: 1 }, /spec\.index: Required/],
  ['a shard without an ordinal', 'SearchShard', { index: 'p', of: 1 }, /spec\.ordinal: Required/],
  ['an ordinal beyond the total', 'SearchShard', { ...search, ordinal: 1 }, /spec\.ordinal.*lower than of/],
  ['a negative ordinal', 'SearchShard', { ...search, ordinal: -1 }, /spec\.ordinal/],
  ['an index of no shards', 'SearchShard', { ...search, of: 0 }, /spec\.of/],
  ['an unknown analyzer', 'SearchShard', { ...search, analysis: { analyzer: 'klingon' } }, /spec\.analysis\.analyzer/],
  ['an unknown room type', 'ChatRoom', { type: 'secret' }, /spec\.type/],
  ['a room for one', 'ChatRoom', { maxMembers: 1 }, /spec\.maxMembers/],
  ['a room without history', 'ChatRoom', { retention: { maxMessages: 0 } }, /spec\.retention\.maxMessages/],
  ['a history of seconds', 'ChatRoom', { retention: { maxAge: '5s' } }, /retention\.maxAge must be between 1m/],
  ['an unknown moderation level', 'ChatRoom', { moderation: { level: 'strict' } }, /spec\.moderation\.level/],
  ['a display name that is a novel', 'ChatRoom', { displayName: 'x'.repeat(201) }, /spec\.displayName/],
  ['fileUpload as a word', 'ChatRoom', { fileUpload: 'yes' }, /spec\.fileUpload/],
  ['an edge without a place', 'EdgeNode', { coordinates: '1,1', origins: [origin] }, /spec\.location: Required/],
  [
    'an edge without coordinates',
    'EdgeNode',
    { location: { country: 'DE' }, origins: [origin] },
    /spec\.coordinates: Required/,
  ],
  ['a latitude beyond the pole', 'EdgeNode', { ...edge, coordinates: '91,0' }, /spec\.coordinates/],
  ['a longitude beyond the date line', 'EdgeNode', { ...edge, coordinates: '0,181' }, /spec\.coordinates/],
  ['coordinates as floats', 'EdgeNode', { ...edge, coordinates: 50.11 }, /spec\.coordinates/],
  ['a country by name', 'EdgeNode', { ...edge, location: { country: 'Germany' } }, /spec\.location\.country/],
  [
    'an unknown continent',
    'EdgeNode',
    { ...edge, location: { country: 'DE', continent: 'XX' } },
    /spec\.location\.continent/,
  ],
  ['an edge without origins', 'EdgeNode', { ...edge, origins: [] }, /spec\.origins/],
  [
    'an origin that is nothing',
    'EdgeNode',
    { ...edge, origins: [{}] },
    /spec\.origins\[0\].*either a url or a service/,
  ],
  [
    'an origin that is two things',
    'EdgeNode',
    { ...edge, origins: [{ ...origin, service: { name: 's', port: 80 } }] },
    /either a url or a service/,
  ],
  [
    'an origin with a path',
    'EdgeNode',
    { ...edge, origins: [{ url: 'http://origin/path' }] },
    /spec\.origins\[0\]\.url/,
  ],
  ['an origin over FTP', 'EdgeNode', { ...edge, origins: [{ url: 'ftp://origin' }] }, /spec\.origins\[0\]\.url/],
  [
    'a port beyond 65535',
    'EdgeNode',
    { ...edge, origins: [{ service: { name: 's', port: 70_000 } }] },
    /service\.port/,
  ],
  [
    'a host in two origins',
    'EdgeNode',
    { ...edge, origins: [origin, { url: 'http://other' }] },
    /a host may stand in one origin only/,
  ],
  [
    'a policy for everything',
    'EdgeNode',
    { ...edge, cache: { policies: [{ contentType: '*', ttl: '1h', maxObjectSize: '1Mi' }] } },
    /contentType/,
  ],
  [
    'a priority of eleven',
    'EdgeNode',
    { ...edge, cache: { policies: [{ contentType: 'css', ttl: '1h', maxObjectSize: '1Mi', priority: 11 }] } },
    /priority/,
  ],
  ['a cache of nothing', 'EdgeNode', { ...edge, cache: { memory: '1k' } }, /cache\.memory must be between 1Mi/],
  ['a bandwidth of zero', 'EdgeNode', { ...edge, capacity: { bandwidthMbit: 0 } }, /spec\.capacity\.bandwidthMbit/],
];

describe('what the schema refuses', () => {
  test.each(refused)('%s', async (_, kind, spec, message) => {
    expect(await refusal(create(kind, spec))).toMatch(message);
  });

  test.each([
    ['with a dot', 'a.b'],
    ['of 41 characters', 'a'.repeat(41)],
  ])('a name %s, for every kind', async (_, name) => {
    for (const [kind, spec] of [
      ['DBShard', db],
      ['SearchShard', search],
      ['ChatRoom', {}],
      ['EdgeNode', edge],
    ] as const) {
      expect(await refusal(create(kind, spec, name))).toMatch(/metadata\.name must be a DNS label of at most 40/);
    }
  });
});

describe('what may not change', () => {
  const change = async (kind: string, spec: object, changed: object): Promise<string> => {
    const name = `fixed-${kind.toLowerCase()}`;
    await create(kind, spec, name).catch(() => undefined);
    return refusal(client.merge(resources[kind] as Resource, { namespace: 'default', name }, { spec: changed }));
  };

  test.each([
    ['DBShard', db, { database: 'other' }, /database is immutable/],
    ['DBShard', db, { range: { start: 'a' } }, /range is immutable/],
    ['DBShard', db, { storage: { size: '2Gi' } }, /storage\.size is immutable/],
    ['DBShard', db, { storage: { className: 'fast' } }, /storage\.className is immutable/],
    ['SearchShard', search, { index: 'other' }, /index is immutable/],
    ['SearchShard', { ...search, of: 2 }, { ordinal: 1 }, /ordinal is immutable/],
    ['SearchShard', search, { of: 3 }, /of is immutable/],
    ['SearchShard', search, { analysis: { analyzer: 'plain' } }, /analysis is immutable/],
  ])('%s %j to %j', async (kind, spec, changed, message) => {
    expect(await change(kind, spec, changed)).toMatch(message);
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
