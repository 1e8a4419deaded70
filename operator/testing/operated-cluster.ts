import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { parse } from 'yaml';
import { dbShardEntry, type DbShardEntry } from '../../contract/directory.ts';
import type { RangeReport } from '../../contract/heartbeat.ts';
import { directoryBucket, directoryKey } from '../../contract/subjects.ts';
import { startControlPlane, type ControlPlane } from '../../local/control-plane.ts';
import { startNats, type Nats } from '../../local/nats-server.ts';
import { dbShards, type DbShard } from '../kinds.ts';
import { pods } from '../runtime/builtin.ts';
import type { KubeClient } from '../runtime/client.ts';
import { connectKube } from '../runtime/connection.ts';
import type { KubeObject } from '../runtime/object.ts';
import { resource } from '../runtime/resource.ts';
import { parseSettings } from '../settings.ts';
import { startOperator, type Operator } from '../start-operator.ts';
import { FakeNodes } from './fake-nodes.ts';

/** Polls until the check gives something; fails with what was waited for after the deadline. */
export const until = async <T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  deadlineMs = 20_000,
): Promise<T> => {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await check().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const namespace = 'default';

/** A real API server and NATS with a real operator, and replicas that say what a test wants. */
export class OperatedCluster {
  readonly dir: string;
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly fakes: FakeNodes;
  readonly #natsServer: Nats;
  readonly #nats: NatsConnection;
  #environment: Readonly<Record<string, string>> = {};
  operator: Operator | null = null;

  private constructor(dir: string, plane: ControlPlane, natsServer: Nats, nats: NatsConnection) {
    this.dir = dir;
    this.plane = plane;
    this.#natsServer = natsServer;
    this.#nats = nats;
    this.client = connectKube({ kubeconfig: plane.kubeconfig, rate: { perSecond: 1000, burst: 1000 } });
    this.fakes = new FakeNodes(this.client, nats);
  }

  /** Three nodes; the operator runs. @param environment variables of the operator besides those that it needs */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<OperatedCluster> {
    const dir = await mkdtemp(join(tmpdir(), 'quartet-operated-'));
    const [plane, natsServer] = await Promise.all([
      startControlPlane({ dir: join(dir, 'plane') }),
      startNats({ dir: join(dir, 'nats') }),
    ]);
    const nats = await connect({ servers: natsServer.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    const cluster = new OperatedCluster(dir, plane, natsServer, nats);
    cluster.#environment = environment;
    await cluster.#installDefinitions();
    await cluster.fakes.start(['node-a', 'node-b', 'node-c']);
    await cluster.startOperator();
    return cluster;
  }

  async stop(): Promise<void> {
    await this.operator?.stop();
    await this.fakes.stop();
    await this.#nats.close();
    this.client.close();
    await Promise.all([this.plane.stop(), this.#natsServer.stop()]);
    await rm(this.dir, { recursive: true, force: true });
  }

  async startOperator(): Promise<void> {
    const settings = parseSettings({
      QUARTET_NATS_URL: this.#natsServer.url,
      QUARTET_IMAGE: 'quartet:test',
      QUARTET_ADMIN_PORT: '0',
      ...this.#environment,
    });
    const log = pino({ level: process.env['QUARTET_LOG_LEVEL'] ?? 'silent' });
    const client = connectKube({ kubeconfig: this.plane.kubeconfig });
    this.operator = await startOperator({ settings, log, client, lease: null });
  }

  async stopOperator(): Promise<void> {
    await this.operator?.stop();
    this.operator = null;
  }

  async #installDefinitions(): Promise<void> {
    const type = [
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      'customresourcedefinitions',
      'cluster',
    ] as const;
    const definitions = resource<KubeObject>(...type);
    const folder = join(import.meta.dirname, '../../crds/generated');
    for (const file of readdirSync(folder)) {
      await this.client.create(definitions, parse(readFileSync(join(folder, file), 'utf8')) as KubeObject);
    }
    await until('the definitions are served', async () => (await this.client.list(dbShards)) !== undefined);
  }

  shard(name: string): Promise<DbShard> {
    return this.client.get(dbShards, { namespace, name });
  }

  async create(name: string, spec: object): Promise<void> {
    const metadata = { name, namespace };
    const object = {
      apiVersion: 'quartet.dev/v1alpha1',
      kind: 'DBShard',
      metadata,
      spec: { database: 'app', ...spec },
    };
    await this.client.create(dbShards, object as unknown as DbShard);
  }

  delete(name: string): Promise<boolean> {
    return this.client.delete(dbShards, { namespace, name });
  }

  /** All replicas of a shard say this of its keys from now on. */
  say(name: string, range: RangeReport): void {
    const log = this.fakes.logs.get(`db/${name}`);
    if (log === undefined) throw new Error(`no replica of ${name} runs`);
    log.range = range;
  }

  /** How many pods a shard has. */
  async podsOf(name: string): Promise<number> {
    const labelSelector = `app.kubernetes.io/instance=${name}`;
    return (await this.client.list(pods, { namespace, labelSelector })).items.length;
  }

  /** Waits until there is no such shard. */
  untilGone(name: string, deadlineMs = 30_000) {
    const look = async () => (await this.shard(name).catch((error: { code: string }) => error.code)) === 'not-found';
    return until(`${name} is gone`, look, deadlineMs);
  }

  /** Notes each time that ranges do not fit, until it is asked what was seen. */
  async watchRanges(): Promise<() => Promise<string[]>> {
    const seen: string[] = [];
    const stop = new AbortController();
    const { resourceVersion } = await this.client.list(dbShards);
    const options = { resourceVersion, timeoutSeconds: 120, quietMs: 120_000, signal: stop.signal };
    const changes = await this.client.watch(dbShards, options);
    const watching = (async () => {
      for await (const change of changes) {
        if (change.type === 'BOOKMARK') continue;
        const bad = change.object.status?.conditions?.find((one) => one.type === 'RangeConsistent');
        if (bad?.status === 'False') seen.push(`${change.object.metadata.name}: ${bad.message}`);
      }
    })().catch(() => undefined);
    return async () => {
      stop.abort();
      await watching;
      return seen;
    };
  }

  /** A condition of a shard. */
  async condition(name: string, type: string) {
    return (await this.shard(name)).status?.conditions?.find((one) => one.type === type);
  }

  /** Waits until a condition has the reason. */
  untilReason(name: string, type: string, reason: string, deadlineMs?: number) {
    const look = async () => {
      const found = await this.condition(name, type);
      return found?.reason === reason ? found : undefined;
    };
    return until(`${name}: ${type} has reason ${reason}`, look, deadlineMs);
  }

  /** The document that pods route by. */
  async entry(name: string): Promise<DbShardEntry | undefined> {
    const bucket = await new Kvm(this.#nats).open(directoryBucket);
    const found = await bucket.get(directoryKey('db', namespace, name));
    return found?.operation === 'PUT' ? dbShardEntry.parse(found.json()) : undefined;
  }

  /** What a page of the operator's server says. */
  async page(path: string): Promise<unknown> {
    return (await fetch(`http://${this.operator?.manager.address ?? ''}${path}`)).json();
  }

  /** Requests to the API so far, by the operator's own count. */
  async requests(): Promise<number> {
    const text = await (await fetch(`http://${this.operator?.manager.address ?? ''}/metrics`)).text();
    const counts = [...text.matchAll(/^rest_client_requests_total\{[^}]*\} (\d+)/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }
}
