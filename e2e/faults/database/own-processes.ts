import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { unsplit, type DbShardEntry } from '../../../contract/directory.ts';
import { logStreamConfig } from '../../../contract/streams.ts';
import { logStream } from '../../../contract/subjects.ts';
import type { Pod } from '../../../dataplane/fabric/pod.ts';
import { putDirectory, removeDirectory, testPod } from '../../../dataplane/fabric/testing.ts';
import { startNats, type Nats, type NatsServer } from '../../../local/nats-server.ts';
import { freePort } from '../../../local/processes/ports.ts';
import { eventually } from '../../eventually.ts';
import {
  logLeaderName,
  serving,
  type Ability,
  type Database,
  type LogServer,
  type Merge,
  type Shard,
  type Subject,
} from './database.ts';
import { Elector } from './elector.ts';
import { Merges } from './merges.ts';
import { Observer } from './observer.ts';
import { mayLeave } from './mover.ts';
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
  /** Of the next member. */
  next: number;
  /** As the directory has it. */
  entry: DbShardEntry | null;
}

const membersPerShard = 3;
/** Shards beside the first ones at a time: each has three processes. */
const maxSplits = 4;
const gatewayCount = 2;
/** NATS may be held down by a fault for a while. */
const outageMs = 60_000;
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
  readonly #merges: Merges<OwnShard>;
  readonly #moving = new Set<string>();
  /** Processes that ended for good, with the times that they had ended by themselves. */
  readonly #former: FaultyProcess[] = [];

  private constructor(
    dir: string,
    parts: { nats: Nats; pod: Pod; disks: Map<string, SmallDisk>; manager: JetStreamManager },
  ) {
    this.#dir = dir;
    this.#nats = parts.nats;
    this.servers = parts.nats.servers.map(logServer);
    this.can = new Set(['cut', 'clock', 'split', 'move', ...(parts.disks.size > 0 ? (['disk'] as const) : [])]);
    this.disks = parts.disks;
    this.#pod = parts.pod;
    this.#manager = parts.manager;
    this.shards = ranges.map((range) => ({ ...range, ...newborn(), members: [] }));
    const names = new Map(ranges.map(({ name }) => [name, memberNames(name)]));
    this.observer = new Observer(parts.pod, names);
    this.#merges = new Merges({
      observer: this.observer,
      shards: this.shards,
      sourceOf: ({ splitFrom }) => splitFrom?.shard ?? null,
      isMoving: ({ name }) => this.#moving.has(name),
      tell: (shard, change) => this.#tell(shard, change),
      remove: (shard) => this.#remove(shard),
    });
    this.#elector = new Elector(
      this.observer,
      ranges.map(({ name }) => name),
    );
  }

  /** Starts everything in `dir`; resolves when every shard has a primary. */
  static async start(dir: string): Promise<OwnProcesses> {
    const disks = new Map<string, SmallDisk>();
    if (canMount) {
      // Its data only: the file that it logs to is opened by this process, which must not wait for a frozen disk.
      disks.set('nats-2', new SmallDisk(join(dir, 'nats', 'nats-2', 'data'), diskMegabytes.nats));
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
    return [...this.processes, ...this.#former].flatMap(({ name, crashes }) =>
      crashes > 0 ? [`${name}: ${crashes}`] : [],
    );
  }

  async logLeader(shard: Shard): Promise<LogServer | undefined> {
    const leader = await logLeaderName(this.#manager, namespace, shard);
    return this.servers.find(({ name }) => name === leader);
  }

  async split({ name: from, letter }: Shard, at: string | null): Promise<Shard | undefined> {
    if (this.shards.length >= ranges.length + maxSplits || this.#merges.isBusy({ name: from })) return undefined;
    const name = `app-${letter}${++this.#splits}`;
    const upper = { name, letter, start: '', end: '', splitFrom: { shard: from, at }, ...newborn(), members: [] };
    this.observer.add(name, memberNames(name));
    await this.#startShard(upper);
    this.shards.push(upper);
    this.#elector.add(name);
    return upper;
  }

  async merge({ name }: Shard): Promise<Merge | undefined> {
    const shard = this.shards.find((one) => one.name === name);
    return shard && this.#merges.begin(shard);
  }

  async move({ name }: Shard, { name: old }: Subject) {
    const shard = this.shards.find((one) => one.name === name);
    const leaving = shard?.members.find((member) => member.name === old);
    if (shard === undefined || leaving === undefined) return undefined;
    if (this.#moving.has(name) || this.#merges.isBusy(shard)) return undefined;
    this.#moving.add(name);
    const pod = `${name}-m${shard.next++}`;
    await this.#tellMembers(shard, [...shard.members.map((member) => member.name), pod]);
    const made = await this.#startProcess('db', pod, name);
    shard.members.push(made);
    const over = this.#replace(shard, leaving, made).finally(() => this.#moving.delete(name));
    return { made, over };
  }

  /** Ends the old member once it may leave, else the new one. Answers whether the old one has left. */
  async #replace(shard: OwnShard, old: FaultyProcess, made: FaultyProcess): Promise<boolean> {
    const rest = shard.members.filter((member) => member !== old).map(({ name }) => name);
    const present = (): boolean => this.#elector.present;
    const isFree = await mayLeave({ observer: this.observer, shard: shard.name, old: old.name, rest, present });
    const [goes, stays] = isFree ? [old, made] : [made, old];
    shard.members.splice(shard.members.indexOf(goes), 1);
    this.#former.push(goes);
    await this.#tellMembers(
      shard,
      shard.members.map(({ name }) => name),
    );
    await goes.stop();
    goes.port = stays.port;
    return isFree;
  }

  /** Who belongs to a shard from now on. */
  async #tellMembers(shard: OwnShard, names: readonly string[]): Promise<void> {
    this.observer.add(shard.name, names);
    await this.#tell(shard, { members: names.map(seat) });
  }

  async #tell(shard: OwnShard, change: Partial<DbShardEntry>): Promise<void> {
    if (shard.entry === null) return;
    const entry = { ...shard.entry, ...change };
    shard.entry = entry;
    await eventually(() => putDirectory(this.#pod, 'db', entry), outageMs);
  }

  /** Takes a shard away with all that it held. */
  async #remove(shard: OwnShard): Promise<void> {
    this.shards.splice(this.shards.indexOf(shard), 1);
    this.#former.push(...shard.members);
    await eventually(() => removeDirectory(this.#pod, 'db', shard.name), outageMs);
    await Promise.all(shard.members.map((member) => member.stop()));
    await eventually(
      () => this.#manager.streams.delete(logStream({ kind: 'db', namespace, name: shard.name })),
      outageMs,
    );
  }

  operatorAway(away: boolean): void {
    this.#elector.present = !away;
  }

  setClock(process: Subject, offsetMs: number): void {
    writeFileSync(this.#clockFile(process.name), String(offsetMs));
  }

  async heal(): Promise<void> {
    this.#elector.present = true;
    for (const disk of this.disks.values()) disk.mend();
    for (const server of this.#nats.servers) server.kill('SIGCONT');
    await Promise.all(this.#nats.servers.map((server) => server.start()));
    for (const process of this.processes) {
      process.cut('none');
      process.resume();
      process.revive();
      this.setClock(process, 0);
    }
    await this.#merges.settled();
  }

  async stop(): Promise<void> {
    this.#elector.stop();
    this.#merges.stop();
    for (const disk of this.disks.values()) disk.mend();
    for (const server of this.#nats.servers) server.kill('SIGCONT');
    await Promise.all(this.processes.map((process) => process.stop()));
    await this.#pod.stop();
    await this.#nats.stop();
    for (const disk of this.disks.values()) disk.unmount();
  }

  async #startShard(shard: OwnShard): Promise<void> {
    const { name, start, end, splitFrom = null } = shard;
    const config = logStreamConfig({ kind: 'db', namespace, name }, this.#nats.servers.length);
    const { created } = await eventually(
      () => this.#manager.streams.add(config as Parameters<JetStreamManager['streams']['add']>[0]),
      outageMs,
    );
    const entry: DbShardEntry = {
      kind: 'db',
      namespace,
      database: 'app',
      name,
      start,
      end,
      log: { stream: config.name, created: String(created) },
      members: memberNames(name).map(seat),
      primary: null,
      term: 0,
      conflict: null,
      ...unsplit,
      splitFrom,
      serves: splitFrom === null,
    };
    shard.entry = entry;
    await eventually(() => putDirectory(this.#pod, 'db', entry), outageMs);
    for (const member of memberNames(name)) shard.members.push(await this.#startProcess('db', member, name));
  }

  async #startProcess(role: 'db' | 'db-gateway', name: string, resource?: string): Promise<FaultyProcess> {
    const port = await freePort();
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

const newborn = (): Pick<OwnShard, 'next' | 'entry'> => ({ next: membersPerShard, entry: null });

const seat = (pod: string) => ({ pod, node: `node-of-${pod}`, zone: `zone-of-${pod}` });

const memberNames = (shard: string): string[] => Array.from({ length: membersPerShard }, (_, i) => `${shard}-m${i}`);
