import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { ControlReply, ControlRequest } from '../../../contract/control.ts';
import { unsplit, type DbShardEntry } from '../../../contract/directory.ts';
import type { ReplicaReport } from '../../../contract/heartbeat.ts';
import { logStreamConfig } from '../../../contract/streams.ts';
import { controlSubject, logStream } from '../../../contract/subjects.ts';
import { startNats, type Nats } from '../../../local/nats-server.ts';
import { startChild, type Child } from '../../../local/processes/child.ts';
import { freePort } from '../../../local/processes/ports.ts';
import { until } from '../../../local/processes/until.ts';
import { watchHeartbeats, type Heartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { putDirectory, removeDirectory, testPod } from '../../fabric/testing.ts';

/** A shard of a test cluster. */
export interface ShardPlan {
  readonly name: string;
  readonly start: string;
  readonly end: string;
  /** It takes over the upper keys of another shard; start and end mean nothing then. */
  readonly splitFrom?: DbShardEntry['splitFrom'];
}

export interface ClusterOptions {
  /** Holds everything; made when missing. */
  readonly dir: string;
  readonly shards?: readonly ShardPlan[];
  readonly members?: number;
  readonly natsServers?: 1 | 3;
}

const main = join(import.meta.dirname, '..', '..', 'main.ts');
const namespace = 'test';
const database = 'app';

/** One process of a cluster. */
export class RoleProcess {
  readonly pod: string;
  readonly port: number;
  readonly #start: () => Child;
  child: Child;

  constructor(pod: string, port: number, start: () => Child) {
    this.pod = pod;
    this.port = port;
    this.#start = start;
    this.child = start();
  }

  /** Ends it without a chance to say goodbye. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child.exited;
  }

  restart(): void {
    this.child = this.#start();
  }
}

/**
 * A database of real processes for tests and benchmarks: nats-server, members, a gateway. The test plays the operator:
 * it makes logs, publishes the directory and asks members to lead.
 */
export class DbCluster {
  readonly nats: Nats;
  readonly operator: Pod;
  readonly beats: Heartbeats;
  readonly members = new Map<string, RoleProcess[]>();
  readonly gateways: RoleProcess[] = [];
  readonly #dir: string;
  readonly #entries = new Map<string, DbShardEntry>();

  constructor(dir: string, nats: Nats, operator: Pod) {
    this.#dir = dir;
    this.nats = nats;
    this.operator = operator;
    this.beats = watchHeartbeats(operator, 'db');
  }

  /** Port of the first gateway. */
  get port(): number {
    return this.gateways[0]?.port ?? 0;
  }

  async addShard(plan: ShardPlan, members: number): Promise<void> {
    const set = { kind: 'db', namespace, name: plan.name } as const;
    const manager = await jetstreamManager(this.operator.nats);
    const config = logStreamConfig(set, this.nats.servers.length);
    // A cluster of servers that has just started may not answer at first; to do the same again changes nothing.
    const { created } = await until({ what: `the log of ${plan.name}`, timeoutMs: 30_000 }, () =>
      manager.streams.add(config as Parameters<typeof manager.streams.add>[0]),
    );
    const pods = Array.from({ length: members }, (_, i) => `${plan.name}-m${i}`);
    const entry: DbShardEntry = {
      kind: 'db',
      namespace,
      database,
      ...unsplit,
      ...plan,
      serves: (plan.splitFrom ?? null) === null,
      log: { stream: config.name, created },
      members: pods.map((pod, i) => ({ pod, node: `node-${i}`, zone: `zone-${i}` })),
      primary: pods[0] ?? null,
      term: 1,
      conflict: null,
    };
    this.#entries.set(plan.name, entry);
    await until({ what: `the directory to take ${plan.name}`, timeoutMs: 30_000 }, async () => {
      await putDirectory(this.operator, 'db', entry);
      return true;
    });
    const started: RoleProcess[] = [];
    for (const pod of pods) started.push(await this.#startRole('db', pod, plan.name));
    this.members.set(plan.name, started);
  }

  /** Says something else of a shard in the directory, as the operator does. */
  async change(name: string, entry: Partial<DbShardEntry>): Promise<void> {
    const changed = { ...this.#entry(name), ...entry };
    this.#entries.set(name, changed);
    await putDirectory(this.operator, 'db', changed);
  }

  /** Ends the members of a shard, and forgets it with all that it held. */
  async removeShard(name: string): Promise<void> {
    for (const member of this.members.get(name) ?? []) await member.kill();
    this.members.delete(name);
    this.#entries.delete(name);
    await removeDirectory(this.operator, 'db', name);
    const manager = await jetstreamManager(this.operator.nats);
    await manager.streams.delete(logStream({ kind: 'db', namespace, name }));
  }

  async addGateway(): Promise<RoleProcess> {
    const gateway = await this.#startRole('db-gateway', `gateway-${this.gateways.length}`, null);
    this.gateways.push(gateway);
    return gateway;
  }

  /** What a member reported last. */
  report(pod: string): ReplicaReport | undefined {
    return this.beats.get(pod)?.beat.replica;
  }

  /** The member that leads a shard; waits until one does. */
  primary(shard: string): Promise<RoleProcess> {
    return until({ what: `a primary of ${shard}`, timeoutMs: 20_000, everyMs: 20 }, () => {
      const leading = (this.members.get(shard) ?? []).filter(
        ({ pod, child }) =>
          child.exit === undefined && this.beats.alive(pod, 1_000) && this.report(pod)?.state === 'primary',
      );
      return leading.toSorted((a, b) => (this.report(b.pod)?.term ?? 0) - (this.report(a.pod)?.term ?? 0))[0];
    });
  }

  /** Asks a member to lead with a term, until it does. */
  async promote(pod: string, term: number): Promise<void> {
    await until({ what: `${pod} to lead with term ${term}`, timeoutMs: 20_000 }, async () => {
      const reply = await this.control(pod, { type: 'promote', term });
      return reply.ok ? true : undefined;
    });
  }

  /** Makes the first member of a shard its primary as soon as it follows the log. */
  async makeFirstPrimary(shard: string): Promise<void> {
    const first = this.members.get(shard)?.[0]?.pod ?? '';
    const following = (): true | undefined => (this.report(first)?.state === 'following' ? true : undefined);
    await until({ what: `${first} to follow its log`, timeoutMs: 30_000 }, following);
    await this.promote(first, (this.report(first)?.term ?? 0) + 1);
  }

  async control(pod: string, request: ControlRequest): Promise<ControlReply> {
    const message = await this.operator.nats.request(controlSubject(namespace, pod), JSON.stringify(request), {
      timeout: 5_000,
    });
    return message.json<ControlReply>();
  }

  async stop(): Promise<void> {
    const processes = [...this.gateways, ...[...this.members.values()].flat()];
    await Promise.all(processes.map(({ child }) => child.stop(5_000)));
    await this.operator.stop();
    await this.nats.stop();
  }

  #entry(name: string): DbShardEntry {
    const entry = this.#entries.get(name);
    if (!entry) throw new Error(`there is no shard ${name}`);
    return entry;
  }

  async #startRole(role: 'db' | 'db-gateway', pod: string, resource: string | null): Promise<RoleProcess> {
    const port = await freePort();
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      QUARTET_NAMESPACE: namespace,
      QUARTET_POD: pod,
      QUARTET_POD_IP: '127.0.0.1',
      QUARTET_NODE: `node-of-${pod}`,
      QUARTET_NATS_URL: this.nats.url,
      QUARTET_PORT: String(port),
      QUARTET_ADMIN_PORT: '0',
      ...(resource === null ? {} : { QUARTET_RESOURCE: resource, QUARTET_DATA_DIR: join(this.#dir, pod) }),
    };
    const [log, args] = [
      join(this.#dir, `${pod}.log`),
      [...process.execArgv.filter((arg) => arg.startsWith('--cpu-prof')), main, role],
    ];
    return new RoleProcess(pod, port, () => startChild({ name: pod, command: process.execPath, args, env, log }));
  }
}

/** Starts a cluster and makes the first member of each shard its primary. Resolves when it takes writes. */
export const startDbCluster = async (options: ClusterOptions): Promise<DbCluster> => {
  mkdirSync(options.dir, { recursive: true });
  const nats = await startNats({ dir: join(options.dir, 'nats'), servers: options.natsServers ?? 1 });
  await nats.ready();
  const operator = await testPod(nats.url, 'db-gateway', { QUARTET_POD: 'operator' });
  const cluster = new DbCluster(options.dir, nats, operator);
  const shards = options.shards ?? [{ name: 'app-0', start: '', end: '' }];
  for (const shard of shards) await cluster.addShard(shard, options.members ?? 3);
  await cluster.addGateway();
  for (const { name } of shards) await cluster.makeFirstPrimary(name);
  return cluster;
};
