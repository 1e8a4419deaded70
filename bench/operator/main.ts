/**
 * What the operator costs: the real process against a real API server and a real NATS.
 * `node bench/operator/main.ts [--sizes 100,1000,5000] [--idle 600] [--samples 300]`
 * Resources are ChatRooms, and three DBShards whose pods are played by operator/testing. `runtime.ts` measures the controller
 * runtime alone.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '@nats-io/transport-node';
import { parse } from 'yaml';
import { startControlPlane } from '../../local/control-plane.ts';
import { startNats } from '../../local/nats-server.ts';
import { freePort } from '../../local/processes/ports.ts';
import { chatRooms, dbShards, type ChatRoom, type DbShard } from '../../operator/kinds.ts';
import { connectKube } from '../../operator/runtime/connection.ts';
import type { KubeObject } from '../../operator/runtime/object.ts';
import { resource } from '../../operator/runtime/resource.ts';
import { FakeNodes } from '../../operator/testing/fake-nodes.ts';
import { percentile } from '../figures.ts';
import { OperatorProcess } from './operator-process.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,1000,5000' },
    idle: { type: 'string', default: '600' },
    samples: { type: 'string', default: '300' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const idleSeconds = Number(values.idle);
const samples = Number(values.samples);
const namespace = 'default';
const shards = 3;

const dir = await mkdtemp(join(tmpdir(), 'quartet-bench-operator-'));
const [plane, natsServer] = await Promise.all([
  startControlPlane({ dir: join(dir, 'plane') }),
  startNats({ dir: join(dir, 'nats') }),
]);
const client = connectKube({ kubeconfig: plane.kubeconfig, rate: { perSecond: 2000, burst: 2000 } });
const nats = await connect({ servers: natsServer.url, maxReconnectAttempts: -1 });
const fakes = new FakeNodes(client, nats);

const install = async (): Promise<void> => {
  const of = 'customresourcedefinitions';
  const definitions = resource<KubeObject>('apiextensions.k8s.io/v1', 'CustomResourceDefinition', of, 'cluster');
  const folder = join(import.meta.dirname, '../../crds/generated');
  for (const file of await readdir(folder)) {
    await client.create(definitions, parse(await readFile(join(folder, file), 'utf8')) as KubeObject);
  }
  for (let tries = 0; tries < 300; tries++) {
    if (await client.list(dbShards).catch(() => null)) return;
    await sleep(100);
  }
  throw new Error('the definitions are not served');
};

const create = (kind: 'ChatRoom' | 'DBShard', name: string, spec: object): Promise<unknown> => {
  const body = { apiVersion: 'quartet.dev/v1alpha1', kind, metadata: { name, namespace }, spec };
  return kind === 'ChatRoom'
    ? client.create(chatRooms, body as unknown as ChatRoom)
    : client.create(dbShards, body as unknown as DbShard);
};

/** Rooms from number `from` up to `to`, eight at a time. */
const createRooms = async (from: number, to: number): Promise<void> => {
  let next = from;
  const work = async (): Promise<void> => {
    while (next < to) await create('ChatRoom', `room-${next++}`, {});
  };
  await Promise.all(Array.from({ length: 8 }, work));
};

/** From the write of a spec being sent to its status having been seen by a reader, ms, sorted. */
const latencies = async (size: number): Promise<number[]> => {
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const ref = { namespace, name: `room-${Math.floor(Math.random() * size)}` };
    const start = performance.now();
    const { metadata } = await client.merge(chatRooms, ref, { spec: { displayName: `name ${size} ${sample}` } });
    for (;;) {
      const { status } = await client.get(chatRooms, ref);
      if ((status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)) break;
      await sleep(2);
    }
    found.push(performance.now() - start);
    await sleep(Math.random() * 20);
  }
  return found.sort((a, b) => a - b);
};

const startOperator = async (): Promise<OperatorProcess> => {
  const port = await freePort();
  return new OperatorProcess({ kubeconfig: plane.kubeconfig, nats: natsServer.url, port });
};

const measure = async (size: number, before: number): Promise<Record<string, string>> => {
  await createRooms(before, size);
  const first = await startOperator();
  const firstMs = await first.settled(size, 600_000);
  await sleep(5000);
  await first.stop();
  const operator = await startOperator();
  const restartMs = await operator.settled(size, 600_000);
  const sorted = await latencies(size);
  await sleep(15_000);
  const start = await operator.requests();
  await sleep(idleSeconds * 1000);
  const end = await operator.requests();
  for (const [name, count] of end.byResource) {
    const writes = count - (start.byResource.get(name) ?? 0);
    if (writes > 0) console.log(`written while idle, ${size + shards} resources: ${writes} x ${name}`);
  }
  const { rssMiB } = operator;
  await operator.stop();
  return {
    resources: String(size + shards),
    'first start s': (firstMs / 1000).toFixed(1),
    'restart s': (restartMs / 1000).toFixed(1),
    'spec to status p50 ms': percentile(sorted, 0.5).toFixed(0),
    'p99 ms': percentile(sorted, 0.99).toFixed(0),
    'idle writes': String(end.writes - start.writes),
    'idle reads': String(end.reads - start.reads),
    'RSS MiB': rssMiB.toFixed(0),
  };
};

try {
  await install();
  // three nodes that run nothing real: pods of the shards are heartbeats and answers
  await client.create(resource<KubeObject>('v1', 'Namespace', 'namespaces', 'cluster'), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'quartet-system' },
  });
  await fakes.start(['node-a', 'node-b', 'node-c']);
  for (let shard = 0; shard < shards; shard++) await create('DBShard', `shard-${shard}`, { database: `db-${shard}` });
  const rows: Record<string, string>[] = [];
  let before = 0;
  for (const size of sizes) {
    rows.push(await measure(size, before));
    before = size;
  }
  console.table(rows);
  console.log(
    `first start: process start to all ${sizes.join(', ')} rooms reconciled, the new ones made; restart: all settled before.`,
  );
  console.log(
    `spec to status: a patch being sent to its status being read, ${samples} times. idle: ${idleSeconds} s; leases are not counted, watches that end after minutes are reads.`,
  );
} finally {
  await fakes.stop();
  await nats.close();
  client.close();
  await Promise.all([plane.stop(), natsServer.stop()]);
  await rm(dir, { recursive: true, force: true });
}
