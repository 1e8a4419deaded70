import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Kvm } from '@nats-io/kv';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dbShardEntry } from '../contract/directory.ts';
import { directoryBucket, directoryKey, logStream } from '../contract/subjects.ts';
import { startControlPlane, type ControlPlane } from '../local/control-plane.ts';
import { startNats, type Nats } from '../local/nats-server.ts';
import { dbShards, type DbShard } from './kinds.ts';
import {
  deployments,
  nodes,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  secrets,
  services,
  storageClasses,
  type Deployment,
  type Pod,
} from './runtime/builtin.ts';
import type { KubeClient } from './runtime/client.ts';
import { connectKube } from './runtime/connection.ts';
import type { KubeObject } from './runtime/object.ts';
import { resource } from './runtime/resource.ts';
import { parseSettings } from './settings.ts';
import { startOperator, type Operator } from './start-operator.ts';
import { FakeNodes } from './testing/fake-nodes.ts';

const namespace = 'default';
const ref = { namespace, name: 'app' };
const set = { kind: 'db', ...ref } as const;

let dir: string;
let plane: ControlPlane;
let natsServer: Nats;
let nats: NatsConnection;
let client: KubeClient;
let fakes: FakeNodes;
let operator: Operator;

/** Polls until the check gives something; fails with the last problem after the deadline. */
const until = async <T>(what: string, check: () => Promise<T | undefined | false>, deadlineMs = 20_000): Promise<T> => {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await check().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) {
      const shard = await client.get(dbShards, ref).catch(() => undefined);
      throw new Error(`not within ${deadlineMs} ms: ${what}\n${JSON.stringify(shard?.status, null, 1)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const shard = (name = 'app'): Promise<DbShard> => client.get(dbShards, { namespace, name });

const condition = (object: DbShard, type: string) => object.status?.conditions?.find((one) => one.type === type);

const untilReady = (replicas = 3): Promise<DbShard> =>
  until(`ready with ${replicas} replicas`, async () => {
    const object = await shard();
    const isReady = condition(object, 'Ready')?.status === 'True' && object.status?.readyReplicas === replicas;
    return isReady && object.status.replicas === replicas ? object : undefined;
  });

const createShard = (name: string, spec: object): Promise<KubeObject> =>
  client.create(dbShards, {
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'DBShard',
    metadata: { name, namespace },
    spec: { database: 'app', ...spec },
  } as unknown as DbShard);

const installDefinitions = async (): Promise<void> => {
  const definitions = resource<KubeObject>(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    'cluster',
  );
  const folder = join(import.meta.dirname, '../crds/generated');
  for (const file of readdirSync(folder)) {
    await client.create(definitions, parse(readFileSync(join(folder, file), 'utf8')) as KubeObject);
  }
  await until('the definitions are served', async () => (await client.list(dbShards)) !== undefined);
};

const namespaces = resource<KubeObject>('v1', 'Namespace', 'namespaces', 'cluster');

interface Told extends KubeObject {
  readonly note?: string;
  readonly regarding?: { readonly name?: string };
}
const events = resource<Told>('events.k8s.io/v1', 'Event', 'events');

const untilTold = (name: string, note: RegExp, among = namespace): Promise<boolean> =>
  until(`an event ${note.source}`, async () => {
    const { items } = await client.list(events, { namespace: among });
    return items.some((event) => event.regarding?.name === name && note.test(event.note ?? ''));
  });

/** Stands before the monitor of NATS; while silent it takes questions and does not answer. */
const monitor = {
  silent: false,
  server: createServer((request, response) => {
    if (monitor.silent) return;
    void fetch(`${natsServer.servers[0]?.monitor ?? ''}${request.url ?? ''}`)
      .then((answer) => answer.text())
      .then(
        (text) => response.end(text),
        () => response.destroy(),
      );
  }),
  async start(): Promise<string> {
    monitor.server.listen(0, '127.0.0.1');
    await once(monitor.server, 'listening');
    return `http://127.0.0.1:${(monitor.server.address() as AddressInfo).port}`;
  },
  stop(): void {
    monitor.server.close();
    monitor.server.closeAllConnections();
  },
};

/** Restarts the server with this configuration. */
const restartNats = async (file: string, configuration: string): Promise<void> => {
  const [server] = natsServer.servers;
  await server?.stop();
  await writeFile(file, configuration);
  await server?.start();
};

/** Nothing is tried again and again: at most a request a second on average over 5 s. */
const expectCalm = async (): Promise<void> => {
  // what the change itself causes comes first
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const before = await requests();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  expect((await requests()) - before).toBeLessThanOrEqual(5);
};

/** Requests to the API so far, by the operator's own count. */
const requests = async (): Promise<number> => {
  const text = await (await fetch(`http://${operator.manager.address}/metrics`)).text();
  return [...text.matchAll(/^rest_client_requests_total\{[^}]*\} (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-operator-'));
  [plane, natsServer] = await Promise.all([
    startControlPlane({ dir: join(dir, 'plane') }),
    startNats({ dir: join(dir, 'nats') }),
  ]);
  client = connectKube({ kubeconfig: plane.kubeconfig, rate: { perSecond: 1000, burst: 1000 } });
  nats = await connect({ servers: natsServer.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  await installDefinitions();
  fakes = new FakeNodes(client, nats);
  await fakes.start(['node-a', 'node-b', 'node-c']);
  const settings = parseSettings({
    QUARTET_NATS_URL: natsServer.url,
    QUARTET_NATS_MONITORS: await monitor.start(),
    QUARTET_IMAGE: 'quartet:test',
    QUARTET_ADMIN_PORT: '0',
  });
  const log = pino({ level: process.env['QUARTET_LOG_LEVEL'] ?? 'silent' });
  operator = await startOperator({ settings, log, client: connectKube({ kubeconfig: plane.kubeconfig }), lease: null });
  await createShard('app', { replicas: 3, failover: { replaceAfter: '1s' } });
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  monitor.stop();
  await fakes?.stop();
  await nats?.close();
  client?.close();
  await Promise.all([plane?.stop(), natsServer?.stop()]);
  await rm(dir, { recursive: true, force: true });
});

describe('a DBShard under the operator', () => {
  it('gets a replica on each node, a primary, a document, its Services and Secrets', async () => {
    const object = await untilReady();
    expect(new Set(object.status?.members?.map(({ node }) => node)).size).toBe(3);
    expect(object.status).toMatchObject({ term: 1, keys: 7, log: { stream: logStream(set) } });
    const bucket = await new Kvm(nats).open(directoryBucket);
    const entry = dbShardEntry.parse((await bucket.get(directoryKey('db', namespace, 'app')))?.json());
    expect(entry).toMatchObject({ primary: object.status?.primary, term: 1, conflict: null });
    expect(entry.members).toHaveLength(3);
    await client.get(services, { namespace, name: 'app-primary' });
    await client.get(services, { namespace, name: 'db-gateway' });
    await client.get(secrets, { namespace, name: 'quartet-nats' });
  });

  it('settles: then no request is made at all', async () => {
    const before = await until('no request for a second', async () => {
      const first = await requests();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return (await requests()) === first ? first : undefined;
    });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await requests()).toBe(before);
  });

  it('elects another primary when the primary falls silent, and moves the label', async () => {
    const old = (await shard()).status?.primary ?? '';
    const start = performance.now();
    fakes.killProcess(old);
    const next = await until('another primary', async () => {
      const { status } = await shard();
      return status?.primary !== undefined && status.primary !== old ? status : undefined;
    });
    expect(performance.now() - start).toBeLessThan(5000);
    expect(next.term).toBe(2);
    const labelled = await until('one pod with the label', async () => {
      const { items } = await client.list(pods, { namespace, labelSelector: 'quartet.dev/role=primary' });
      return items.length === 1 ? items[0] : undefined;
    });
    expect(labelled.metadata.name).toBe(next.primary);
    fakes.reviveProcess(old);
    await untilReady();
  });

  it('moves the primary away from a node that is cordoned, and keeps the pod of no primary from eviction otherwise', async () => {
    const before = await untilReady();
    const { node, pod } = before.status?.members?.find(({ pod: member }) => member === before.status?.primary) ?? {};
    expect((await client.get(podDisruptionBudgets, { namespace, name: 'db-app-primary' })).spec).toMatchObject({
      minAvailable: 1,
      selector: { matchLabels: { 'quartet.dev/role': 'primary' } },
    });
    await client.merge(nodes, { name: node ?? '' }, { spec: { unschedulable: true } });
    await until('another primary, elsewhere, and the label with it', async () => {
      const { primary } = (await shard()).status ?? {};
      const { items } = await client.list(pods, { namespace, labelSelector: 'quartet.dev/role=primary' });
      return primary !== pod && items.length === 1 && items[0]?.metadata.name === primary;
    });
    await client.merge(nodes, { name: node ?? '' }, { spec: { unschedulable: null } });
    await untilReady();
  });

  it('says that NATS is away, decides nothing then, and goes on when it is back', async () => {
    const before = (await untilReady()).status;
    natsServer.servers[0]?.kill('SIGKILL');
    await until('the condition', async () => condition(await shard(), 'Ready')?.reason === 'MessagingUnavailable');
    await natsServer.servers[0]?.start();
    const after = (await untilReady()).status;
    expect({ primary: after?.primary, term: after?.term }).toEqual({ primary: before?.primary, term: before?.term });
  });

  it.each([
    [
      'that acknowledges before it syncs',
      'sync_interval: always',
      'sync_interval: 2m',
      'Durable',
      'LaxSync',
      /set "sync_interval: always"/,
    ],
    [
      'with a small max_payload',
      /max_payload: \d+/,
      'max_payload: 1MB',
      'Ready',
      'MessagingUnfit',
      /max_payload is 1048576: set it/,
    ],
  ])(
    'says what to do about a NATS %s, without a hot loop, and goes on when it is mended',
    async (...fault) => {
      const [, good, bad, type, reason, advice] = fault;
      await untilReady();
      const file = join(dir, 'nats/nats-0/nats.conf');
      const mended = await readFile(file, 'utf8');
      await restartNats(file, mended.replace(good, bad));
      const found = await until('the condition', async () => {
        const one = condition(await shard(), type);
        return one?.reason === reason ? one : undefined;
      });
      expect(found).toMatchObject({ status: 'False', message: expect.stringMatching(advice) as string });
      await untilTold('app', advice);
      await expectCalm();
      await restartNats(file, mended);
      await untilReady();
      await until('it is durable', async () => condition(await shard(), 'Durable')?.reason === 'SyncAlways');
    },
    60_000,
  );

  it('says what to do about a monitor of NATS that does not answer, without a hot loop, and goes on when it does', async () => {
    await untilReady();
    monitor.silent = true;
    // servers that come back are asked at once
    await natsServer.servers[0]?.stop();
    await natsServer.servers[0]?.start();
    const silent = async () => {
      const one = condition(await shard(), 'Durable');
      return one?.reason === 'MonitorSilent' ? one : undefined;
    };
    const found = await until('the condition', silent, 40_000);
    expect(found.status).toBe('Unknown');
    expect(condition(await shard(), 'Ready')?.status).toBe('True');
    await untilTold('app', /does not answer.*let the operator reach that port/);
    await expectCalm();
    monitor.silent = false;
    await until('it is durable', async () => condition(await shard(), 'Durable')?.reason === 'SyncAlways');
  }, 90_000);

  it('rebuilds the replica of a lost node on another, then forgets the old one', async () => {
    await fakes.start(['node-d']);
    await fakes.killNode('node-a');
    const { status } = await until(
      'a replica on node-d, none on node-a',
      async () => {
        const object = await shard();
        const where = object.status?.members?.map(({ node }) => node) ?? [];
        return where.includes('node-d') && !where.includes('node-a') && where.length === 3 ? object : undefined;
      },
      30_000,
    );
    expect(status?.members?.map(({ pod }) => pod)).toContain('db-app-3');
    await fakes.setReady('node-a', true);
    await untilReady();
  });

  it('is never served together with an older shard whose range it overlaps', async () => {
    await createShard('late', { range: { start: 'x' }, replicas: 1 });
    const late = await until('the conflict', async () => {
      const object = await shard('late');
      return condition(object, 'Ready')?.reason === 'Conflict' ? object : undefined;
    });
    expect(condition(late, 'RangeConsistent')).toMatchObject({ status: 'False', reason: 'Overlap' });
    await until(
      'the older one says so too',
      async () => condition(await shard(), 'RangeConsistent')?.reason === 'Overlap',
    );
    expect(condition(await shard(), 'Ready')?.status).toBe('True');
    await client.delete(dbShards, { namespace, name: 'late' });
    await until('all is well again', async () => condition(await shard(), 'RangeConsistent')?.status === 'True');
  });

  it('says which storage class is missing and which there are, without a hot loop', async () => {
    await client.create(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'slow' },
      provisioner: 'quartet.dev/none',
    });
    await createShard('fast', { database: 'fast', replicas: 1, storage: { className: 'fast' } });
    const found = await until('the condition', async () => {
      const one = condition(await shard('fast'), 'VolumesReady');
      return one?.reason === 'StorageClassMissing' ? one : undefined;
    });
    expect(found.message).toMatch(/^storage class fast does not exist; there are: slow; make it, or create/);
    await expectCalm();
    await client.delete(dbShards, { namespace, name: 'fast' });
  });

  it('leaves objects of its names that are of others alone, says so, without a hot loop', async () => {
    const mine = { 'app.kubernetes.io/managed-by': 'somebody' };
    const metadata = { namespace, labels: mine };
    await client.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, name: 'taken-primary' },
      spec: { ports: [{ port: 80 }] },
    });
    await client.create(podDisruptionBudgets, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { ...metadata, name: 'db-taken' },
      spec: { minAvailable: 0, selector: { matchLabels: { a: 'b' } } },
    });
    await client.create(persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...metadata, name: 'data-db-taken-0' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await createShard('taken', { database: 'taken', replicas: 1 });
    const found = await until('the condition', async () => condition(await shard('taken'), 'ObjectsForeign'));
    expect(found.message).toMatch(/left alone: PodDisruptionBudget db-taken, Service taken-primary; delete them or/);
    await expectCalm();
    const service = await client.get(services, { namespace, name: 'taken-primary' });
    expect(service.metadata.labels).toEqual(mine);
    expect(service.spec?.selector).toBeUndefined();
    await client.delete(dbShards, { namespace, name: 'taken' });
  });

  it('leaves a Pod of a replica that is of others alone, says so, without a hot loop, and is made when it goes', async () => {
    await client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'db-pod-0', namespace, labels: { app: 'theirs' } },
      spec: { nodeName: 'node-a', containers: [{ name: 'theirs', image: 'theirs:1' }] },
    } as Pod);
    await createShard('pod', { database: 'pod', replicas: 1 });
    const found = await until('the condition', async () => condition(await shard('pod'), 'ObjectsForeign'));
    expect(found.message).toMatch(/left alone: Pod db-pod-0; delete them or/);
    await untilTold('pod', /Pod db-pod-0 exists and belongs to another/);
    await expectCalm();
    const theirs = await client.get(pods, { namespace, name: 'db-pod-0' });
    expect(theirs.metadata.labels).toEqual({ app: 'theirs' });
    await client.delete(pods, { namespace, name: 'db-pod-0' }, { gracePeriodSeconds: 0 });
    await until('ready', async () => condition(await shard('pod'), 'Ready')?.status === 'True', 60_000);
    expect(condition(await shard('pod'), 'ObjectsForeign')).toBeUndefined();
    await client.delete(dbShards, { namespace, name: 'pod' });
  }, 90_000);

  it('leaves the Deployment and the Secret of a gateway that are of others alone, and says so, without a hot loop', async () => {
    const theirs = { name: 'foreign', labels: { app: 'theirs' } };
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: theirs.name } });
    const metadata = { namespace: theirs.name, labels: theirs.labels };
    await client.create(deployments, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, name: 'db-gateway' },
      spec: {
        replicas: 0,
        selector: { matchLabels: theirs.labels },
        template: {
          metadata: { labels: theirs.labels },
          spec: { containers: [{ name: 'theirs', image: 'theirs:1' }] },
        },
      },
    } as unknown as Deployment);
    await client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, name: 'quartet-nats' },
      data: { mine: 'eA==' },
    });
    await client.create(dbShards, {
      apiVersion: 'quartet.dev/v1alpha1',
      kind: 'DBShard',
      metadata: { name: 'one', namespace: theirs.name },
      spec: { database: 'one', replicas: 1 },
    } as unknown as DbShard);
    const one = { namespace: theirs.name, name: 'one' };
    const found = await until('the condition', async () =>
      condition(await client.get(dbShards, one), 'ObjectsForeign'),
    );
    expect(found.message).toMatch(/left alone: Secret quartet-nats, Deployment db-gateway; delete them or/);
    await untilTold('one', /left alone: Secret quartet-nats, Deployment db-gateway/, theirs.name);
    await expectCalm();
    const deployment = await client.get(deployments, { namespace: theirs.name, name: 'db-gateway' });
    expect(deployment.metadata.labels).toEqual(theirs.labels);
    const secret = await client.get(secrets, { namespace: theirs.name, name: 'quartet-nats' });
    expect(secret.data).toEqual({ mine: 'eA==' });
    await client.delete(dbShards, one);
  });

  it('says that its log is lost when the stream is gone, and does not make another', async () => {
    const manager = await jetstreamManager(nats);
    await createShard('short', { database: 'other', replicas: 1 });
    const stream = logStream({ kind: 'db', namespace, name: 'short' });
    await until('ready', async () => condition(await shard('short'), 'Ready')?.status === 'True');
    await manager.streams.delete(stream);
    await until('the condition', async () => condition(await shard('short'), 'LogLost')?.status === 'True');
    expect(condition(await shard('short'), 'Ready')).toMatchObject({ status: 'False', reason: 'LogLost' });
    await expect(manager.streams.info(stream)).rejects.toThrow(/not found/);
  });

  it('leaves nothing but retained volumes when it is deleted', async () => {
    await client.delete(dbShards, ref);
    await until(
      'gone',
      async () => (await client.get(dbShards, ref).catch((error: { code: string }) => error.code)) === 'not-found',
    );
    const labelSelector = 'app.kubernetes.io/instance=app';
    expect((await client.list(pods, { namespace, labelSelector })).items).toEqual([]);
    expect((await client.list(persistentVolumeClaims, { namespace, labelSelector })).items).toHaveLength(3);
    const manager = await jetstreamManager(nats);
    await expect(manager.streams.info(logStream(set))).rejects.toThrow(/not found/);
    const bucket = await new Kvm(nats).open(directoryBucket);
    await until('no document', async () => {
      const entry = await bucket.get(directoryKey('db', namespace, 'app'));
      return entry === null || entry.operation === 'DEL';
    });
  });

  it('does not take up the volumes of an earlier resource of its name', async () => {
    await createShard('app', { replicas: 3 });
    const object = await untilReady();
    for (const { pod } of object.status?.members ?? []) expect(Number(pod.split('-')[2])).toBeGreaterThanOrEqual(4);
  });
});
