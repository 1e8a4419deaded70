import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { unsplit, type DbShardEntry } from '../../../contract/directory.ts';
import { logStreamConfig } from '../../../contract/streams.ts';
import type { Pod } from '../../../dataplane/fabric/pod.ts';
import { putDirectory, testPod } from '../../../dataplane/fabric/testing.ts';
import { startNats, type Nats, type NatsServer } from '../../../local/nats-server.ts';
import { freePorts } from '../../../local/processes/ports.ts';
import {
  logLeaderName,
  serving,
  type Ability,
  type Database,
  type LogServer,
  type Shard,
  type Subject,
} from './database.ts';
import { Elector } from './elector.ts';
import { Observer } from './observer.ts';
import { FaultyProcess } from './process.ts';
import { Proxy } from './proxy.ts';
import { canMount, SmallDisk } from './small-disk.ts';

const namespace = 'test';
const root = join(import.meta.dirname, '..', '..', '..');
const ranges = [
  { name: 'app-a', letter: 'a', start: '', end: 'm' },
  { name: 'app-z', letter: 'z', start: 'm', end: '' },
];
interface OwnShard extends Shard {
  readonly start: string;
  readonly end: string;
  readonly splitFrom?: DbShardEntry['splitFrom'];
  readonly members: FaultyProcess[];
}

const membersPerShard = 3;
/** Splits of a run: each adds three processes. */
const maxSplits = 4;
const gatewayCount = 2;
const diskMegabytes = { member: 96, nats: 256 };

/**
 * A database of real processes: three NATS servers with logs in three copies, two shards of three members, two
 * gateways. Each process reaches NATS through a proxy of its own. Where this process may mount, the first member of each
 * shard and the last NATS server have a small disk.
 */
export class OwnProcesses implements Database {
  readonly can: ReadonlySet<Ability>;
  readonly servers: readonly LogServer[];
  readonly observer: Observer;
  readonly shards: OwnShard[];
  readonly gateways: FaultyProcess[] = [];
  readonly disks: ReadonlyMap<string, SmallDisk>;
  readonly #elector: Elector;
  readonly #nats: Nats;
  readonly #dir: string;
  readonly #pod: Pod;
  readonly #manager: JetStreamManager;
  #splits = 0;

  private constructor(
    dir: string,
    parts: { nats: Nats; pod: Pod; disks: Map<string, SmallDisk>; manager: JetStreamManager },
  ) {
    this.#dir = dir;
    this.#nats = parts.nats;
    this.servers = parts.nats.servers.map(logServer);
    this.can = new Set(['cut', 'clock', 'split', ...(parts.disks.size > 0 ? (['disk'] as const) : [])]);
    this.disks = parts.disks;
    this.#pod = parts.pod;
    this.#manager = parts.manager;
    this.shards = ranges.map((range) => ({ ...range, members: [] }));
    const names = new Map(ranges.map(({ name }) => [name, memberNames(name)]));
    this.observer = new Observer(parts.pod, names);
    this.#elector = new Elector(
      this.observer,
      ranges.map(({ name }) => name),
    );
  }

  /** Starts everything in `dir`; resolves when every shard has a primary. */
  static async start(dir: string): Promise<OwnProcesses> {
    const disks = new Map<string, SmallDisk>();
    if (canMount) {
      disks.set('nats-2', new SmallDisk(join(dir, 'nats', 'nats-2'), diskMegabytes.nats));
      for (const { name } of ranges) {
        const member = memberNames(name)[0] ?? '';
        disks.set(member, new SmallDisk(join(dir, member), diskMegabytes.member));
      }
    }
    const nats = await startNats({ dir: join(dir, 'nats'), servers: 3 });
    await nats.ready();
    const pod = await testPod(nats.url, 'db-gateway', { QUARTET_POD: 'operator' });
    const manager = await jetstreamManager(pod.nats, { checkAPI: false });
    const database = new OwnProcesses(dir, { nats, pod, disks, manager });
    try {
      for (const shard of database.shards) await database.#startShard(shard);
      for (let i = 0; i < gatewayCount; i++)
        database.gateways.push(await database.#startProcess('db-gateway', `gateway-${i}`));
      await serving(database, 60_000);
      return database;
    } catch (error) {
      await database.stop();
      throw error;
    }
  }

  get processes(): FaultyProcess[] {
    return [...this.shards.flatMap(({ members }) => members), ...this.gateways];
  }

  get crashes(): string[] {
    return this.processes.flatMap(({ name, crashes }) => (crashes > 0 ? [`${name}: ${crashes}`] : []));
  }

  async logLeader(shard: Shard): Promise<LogServer | undefined> {
    const leader = await logLeaderName(this.#manager, namespace, shard);
    return this.servers.find(({ name }) => name === leader);
  }

  async split({ name: from, letter }: Shard, at: string | null): Promise<Shard | undefined> {
    if (this.#splits >= maxSplits) return undefined;
    const name = `app-${letter}${++this.#splits}`;
    const upper = { name, letter, start: '', end: '', splitFrom: { shard: from, at }, members: [] };
    this.observer.add(name, memberNames(name));
    await this.#startShard(upper);
    this.shards.push(upper);
    this.#elector.add(name);
    return upper;
  }

  operatorAway(away: boolean): void {
    this.#elector.present = !away;
  }

  setClock(process: Subject, offsetMs: number): void {
    writeFileSync(this.#clockFile(process.name), String(offsetMs));
  }

  async heal(): Promise<void> {
    this.#elector.present = true;
    for (const disk of this.disks.values()) {
      disk.thaw();
      disk.free();
    }
    for (const server of this.#nats.servers) server.kill('SIGCONT');
    await Promise.all(this.#nats.servers.map((server) => server.start()));
    for (const process of this.processes) {
      process.cut('none');
      process.resume();
      process.revive();
      this.setClock(process, 0);
    }
  }

  async stop(): Promise<void> {
    this.#elector.stop();
    for (const disk of this.disks.values()) disk.thaw();
    for (const server of this.#nats.servers) server.kill('SIGCONT');
    await Promise.all(this.processes.map((process) => process.stop()));
    await this.#pod.stop();
    await this.#nats.stop();
    for (const disk of this.disks.values()) disk.unmount();
  }

  async #startShard(shard: OwnShard): Promise<void> {
    const { name, start, end, splitFrom = null } = shard;
    const config = logStreamConfig({ kind: 'db', namespace, name }, this.#nats.servers.length);
    const { created } = await this.#manager.streams.add(config as Parameters<JetStreamManager['streams']['add']>[0]);
    const entry: DbShardEntry = {
      kind: 'db',
      namespace,
      database: 'app',
      name,
      start,
      end,
      log: { stream: config.name, created: String(created) },
      members: memberNames(name).map((pod, i) => ({ pod, node: `node-${i}`, zone: `zone-${i}` })),
      primary: null,
      term: 0,
      conflict: null,
      ...unsplit,
      splitFrom,
      serves: splitFrom === null,
    };
    await putDirectory(this.#pod, 'db', entry);
    for (const member of memberNames(name)) shard.members.push(await this.#startProcess('db', member, name));
  }

  async #startProcess(role: 'db' | 'db-gateway', name: string, resource?: string): Promise<FaultyProcess> {
    const [port = 0] = await freePorts(1);
    const proxy = await Proxy.start(this.#nats.servers.map((server) => server.port));
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      QUARTET_NAMESPACE: namespace,
      QUARTET_POD: name,
      QUARTET_POD_IP: '127.0.0.1',
      QUARTET_NODE: `node-of-${name}`,
      QUARTET_NATS_URL: proxy.url,
      QUARTET_NATS_REPLICAS: '3',
      QUARTET_PORT: String(port),
      QUARTET_ADMIN_PORT: '0',
      QUARTET_TEST_CLOCK_FILE: this.#clockFile(name),
      ...(resource === undefined ? {} : { QUARTET_RESOURCE: resource, QUARTET_DATA_DIR: join(this.#dir, name) }),
    };
    const args = ['--import', join(import.meta.dirname, 'wall-clock.ts'), join(root, 'dataplane', 'main.ts'), role];
    return new FaultyProcess({ name, port, args, env, proxy, log: join(this.#dir, 'logs', `${name}.log`) });
  }

  #clockFile(name: string): string {
    return join(this.#dir, `${name}.clock`);
  }
}

const logServer = (server: NatsServer): LogServer => ({
  name: server.name,
  async kill() {
    server.kill('SIGKILL');
    await server.exited;
  },
  start: () => server.start(),
  pause: () => server.kill('SIGSTOP'),
  resume: () => server.kill('SIGCONT'),
});

const memberNames = (shard: string): string[] => Array.from({ length: membersPerShard }, (_, i) => `${shard}-m${i}`);
