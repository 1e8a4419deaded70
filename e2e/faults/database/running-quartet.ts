import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { z } from 'zod';
import type { Pod } from '../../../dataplane/fabric/pod.ts';
import { testPod } from '../../../dataplane/fabric/testing.ts';
import { processesOf } from '../../processes.ts';
import {
  logLeaderName,
  serving,
  type Ability,
  type Database,
  type LogServer,
  type Shard,
  type Subject,
} from './database.ts';
import { Observer } from './observer.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const respPort = 6379;
const startLimitMs = 60_000;

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      status: z.object({ podIP: z.string().optional() }),
    }),
  ),
});

const shardList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ range: z.object({ start: z.string().optional() }).optional() }),
    }),
  ),
});

const environmentOf = (pid: number): ReadonlyMap<string, string> => {
  const text = readFileSync(`/proc/${pid}/environ`, 'utf8');
  return new Map(text.split('\0').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
};

/** Sends a signal to every process of a Quartet that fits; answers how many there were. */
const signal = (state: string, fits: (command: string, pid: number) => boolean, name: NodeJS.Signals): number => {
  const found = processesOf(state).filter(({ command, pid }) => fits(command, pid));
  for (const { pid } of found) {
    try {
      process.kill(pid, name);
    } catch {
      // It has just ended.
    }
  }
  return found.length;
};

/** A pod of the embedded mode: its kubelet starts it again. */
class PodProcess implements Subject {
  readonly name: string;
  readonly host: string;
  readonly port = respPort;
  readonly #state: string;

  constructor(state: string, name: string, host: string) {
    this.#state = state;
    this.name = name;
    this.host = host;
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
  }

  revive(): void {}

  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  cut(): void {}

  #signal(name: NodeJS.Signals): void {
    const mine = (command: string, pid: number): boolean => {
      if (!/dataplane\/main\.ts db/.test(command)) return false;
      try {
        return environmentOf(pid).get('QUARTET_POD') === this.name;
      } catch {
        return false;
      }
    };
    signal(this.#state, mine, name);
  }
}

/**
 * The sample database of an embedded Quartet that is up (`quartet up --nats 3`): the real operator elects, a kubelet
 * starts what was killed. It can neither be cut off from NATS, nor its clock or disk be touched.
 */
export class RunningQuartet implements Database {
  readonly can: ReadonlySet<Ability> = new Set();
  readonly disks = new Map<string, never>();
  readonly crashes: readonly string[] = [];
  readonly shards: readonly Shard[];
  readonly gateways: readonly Subject[];
  readonly servers: readonly LogServer[];
  readonly observer: Observer;
  readonly #state: string;
  readonly #namespace: string;
  readonly #pod: Pod;
  readonly #manager: JetStreamManager;

  private constructor(
    state: string,
    parts: { shards: Shard[]; gateways: Subject[]; namespace: string; pod: Pod; manager: JetStreamManager },
  ) {
    this.#state = state;
    this.shards = parts.shards;
    this.gateways = parts.gateways;
    this.#namespace = parts.namespace;
    this.#pod = parts.pod;
    this.#manager = parts.manager;
    this.servers = [0, 1, 2].map((i) => this.#server(`nats-${i}`));
    this.observer = new Observer(
      parts.pod,
      new Map(parts.shards.map(({ name, members }) => [name, members.map((member) => member.name)])),
    );
  }

  /** @param state the state directory of the Quartet */
  static async connect(state: string): Promise<RunningQuartet> {
    const kubectl = async (...args: string[]): Promise<unknown> => {
      const command = ['--state', state, 'kubectl', ...args, '-o', 'json'];
      const { stdout } = await promisify(execFile)(join(root, 'quartet'), command, { maxBuffer: 64 * 1024 * 1024 });
      return JSON.parse(stdout) as unknown;
    };
    const pods = podList.parse(await kubectl('get', 'pods', '-A')).items;
    const resources = shardList.parse(await kubectl('get', 'dbshards', '-A')).items;
    const subjects = (prefix: string): PodProcess[] =>
      pods
        .filter(({ metadata }) => metadata.name.startsWith(prefix))
        .map(({ metadata, status }) => new PodProcess(state, metadata.name, status.podIP ?? ''));
    const shards = resources.map(({ metadata, spec }) => ({
      name: metadata.name,
      letter: spec.range?.start === undefined || spec.range.start === '' ? 'a' : 'z',
      members: subjects(`db-${metadata.name}-`),
    }));
    const member = processesOf(state).find(({ command }) => command.endsWith('dataplane/main.ts db'));
    const environment = environmentOf(member?.pid ?? 0);
    const namespace = environment.get('QUARTET_NAMESPACE') ?? 'default';
    const pod = await testPod(environment.get('QUARTET_NATS_URL') ?? '', 'db-gateway', {
      QUARTET_POD: 'fault-test',
      QUARTET_NAMESPACE: namespace,
    });
    const manager = await jetstreamManager(pod.nats, { checkAPI: false });
    const database = new RunningQuartet(state, {
      shards,
      gateways: subjects('db-gateway'),
      namespace,
      pod,
      manager,
    });
    await serving(database, startLimitMs);
    return database;
  }

  async logLeader(shard: Shard): Promise<LogServer | undefined> {
    const leader = await logLeaderName(this.#manager, this.#namespace, shard);
    return this.servers.find(({ name }) => name === leader);
  }

  setClock(): void {}

  split(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  merge(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  move(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Away: stopped. Back: a new one, as after a crash. */
  operatorAway(away: boolean): void {
    signal(this.#state, (command) => command.includes('operator/main.ts'), away ? 'SIGSTOP' : 'SIGKILL');
  }

  async heal(): Promise<void> {
    signal(this.#state, (command) => /operator\/main\.ts|dataplane\/main\.ts|nats-server/.test(command), 'SIGCONT');
    await Promise.all(this.servers.map((server) => server.start()));
  }

  async stop(): Promise<void> {
    await this.#pod.stop();
  }

  #server(name: string): LogServer {
    const state = this.#state;
    const mine = (command: string): boolean => command.includes(`${name}/nats.conf`);
    const running = (): boolean => processesOf(state).some(({ command }) => mine(command));
    const wait = async (until: boolean): Promise<void> => {
      const deadline = performance.now() + startLimitMs;
      while (running() !== until && performance.now() < deadline) await sleep(200);
    };
    return {
      name,
      async kill() {
        signal(state, mine, 'SIGKILL');
      },
      start: () => wait(true),
      pause: () => void signal(state, mine, 'SIGSTOP'),
      resume: () => void signal(state, mine, 'SIGCONT'),
    };
  }
}
