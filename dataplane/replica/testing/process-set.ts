import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { unsplit } from '../../../contract/directory.ts';
import { controlReply, type ControlReply, type ControlRequest } from '../../../contract/control.ts';
import type { Heartbeat } from '../../../contract/heartbeat.ts';
import { logStreamConfig } from '../../../contract/streams.ts';
import { controlSubject, logStream } from '../../../contract/subjects.ts';
import { startNats, type Nats } from '../../../local/nats-server.ts';
import { watchHeartbeats, type Heartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { putDirectory, testPod } from '../../fabric/testing.ts';

const program = new URL('./list-member.ts', import.meta.url).pathname;
export const set = { kind: 'db', namespace: 'test', name: 'list' } as const;

/** Real members as processes, a real nats-server, and no operator: the test plays it. For integration tests. */
export class ProcessSet {
  readonly #dir: string;
  readonly nats: Nats;
  readonly pod: Pod;
  readonly manager: JetStreamManager;
  readonly heartbeats: Heartbeats;
  readonly #processes = new Map<string, ChildProcess>();
  /** Incarnations that were killed. */
  readonly #dead = new Set<string>();

  private constructor(dir: string, nats: Nats, pod: Pod, manager: JetStreamManager) {
    this.#dir = dir;
    this.nats = nats;
    this.pod = pod;
    this.manager = manager;
    this.heartbeats = watchHeartbeats(pod, 'db');
  }

  static async start(members: readonly string[], servers: 1 | 3 = 1): Promise<ProcessSet> {
    const dir = await mkdtemp(join(tmpdir(), 'quartet-replica-'));
    const nats = await startNats({ dir, servers });
    await nats.ready();
    const pod = await testPod(nats.url, 'db', { QUARTET_POD: 'observer' });
    const manager = await jetstreamManager(pod.nats, { checkAPI: false });
    const config = logStreamConfig(set, servers) as unknown as Parameters<typeof manager.streams.add>[0];
    const { created } = await manager.streams.add(config);
    await putDirectory(pod, 'db', {
      kind: 'db',
      database: 'list',
      start: '',
      end: '',
      conflict: null,
      ...unsplit,
      primary: null,
      term: 0,
      namespace: set.namespace,
      name: set.name,
      log: { stream: config.name, created: String(created) },
      members: members.map((name) => ({ pod: name, node: name, zone: '' })),
    });
    const it = new ProcessSet(dir, nats, pod, manager);
    for (const name of members) it.spawn(name);
    try {
      for (const name of members) await it.until(`${name} follows`, () => it.state(name)?.state === 'following');
      return it;
    } catch (error) {
      await it.stop();
      throw error;
    }
  }

  spawn(name: string): void {
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        QUARTET_NAMESPACE: set.namespace,
        QUARTET_RESOURCE: set.name,
        QUARTET_POD: name,
        QUARTET_POD_IP: '127.0.0.1',
        QUARTET_NODE: name,
        QUARTET_NATS_URL: this.nats.url,
        QUARTET_ADMIN_PORT: '0',
        QUARTET_LOG_LEVEL: process.env['QUARTET_TEST_LOG'] ?? 'fatal',
      },
    });
    this.#processes.set(name, child);
  }

  pids(): number[] {
    return [...this.#processes.values()].flatMap(({ pid }) => pid ?? []);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#processes.get(name)?.kill(signal);
  }

  async kill(name: string): Promise<void> {
    const child = this.#processes.get(name);
    this.#processes.delete(name);
    this.#dead.add(this.heartbeats.get(name)?.beat.incarnation ?? '');
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exit;
  }

  /** What a member says of itself; undefined while it is silent, or before its new process speaks. */
  state(name: string): Heartbeat['replica'] {
    const beat = this.heartbeats.alive(name, 1000) ? this.heartbeats.get(name)?.beat : undefined;
    return beat === undefined || this.#dead.has(beat.incarnation) ? undefined : beat.replica;
  }

  async control(name: string, request: ControlRequest): Promise<ControlReply> {
    const reply = await this.pod.nats.request(controlSubject(set.namespace, name), JSON.stringify(request), {
      timeout: 6_000,
    });
    return controlReply.parse(reply.json());
  }

  /** Asks a member; `silent` when there is no answer. */
  async ask(name: string, verb: string, payload = '', timeout = 3_000): Promise<string> {
    try {
      return (await this.pod.nats.request(`list.${name}.${verb}`, payload, { timeout })).string();
    } catch {
      return 'silent';
    }
  }

  async contents(name: string): Promise<{ operations: string[]; restored: number }> {
    return JSON.parse(await this.ask(name, 'all', '', 10_000)) as { operations: string[]; restored: number };
  }

  /** Waits until all these members hold the same, and answers that. */
  async agreed(names: readonly string[]): Promise<string[]> {
    let all: string[][] = [];
    for (const name of names) await this.until(`${name} speaks`, () => this.state(name) !== undefined);
    await this.until('all members hold the same', async () => {
      all = await Promise.all(names.map(async (name) => (await this.contents(name)).operations));
      return new Set(all.map((each) => each.join())).size === 1;
    });
    return all[0] ?? [];
  }

  async until(what: string, condition: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<number> {
    const from = performance.now();
    while (!(await condition())) {
      if (performance.now() - from > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await wait(20);
    }
    return performance.now() - from;
  }

  streamInfo() {
    return this.manager.streams.info(logStream(set));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.kill(name)));
    await this.pod.stop();
    await this.nats.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** A client that numbers its writes and remembers which were acknowledged. Follows the primary by its answers. */
export class NumberingClient {
  readonly acknowledged = new Set<string>();
  readonly unknown = new Set<string>();
  /** Longest time between two acknowledgements, milliseconds. */
  longestGap = 0;
  readonly #set: ProcessSet;
  readonly #members: readonly string[];
  readonly #prefix: string;
  #next = 0;
  #stopped = false;
  #done: Promise<unknown> = Promise.resolve();
  #lastAt = performance.now();

  constructor(set: ProcessSet, members: readonly string[], prefix = 'w') {
    this.#set = set;
    this.#members = members;
    this.#prefix = prefix;
  }

  start(lanes = 8): void {
    this.#lastAt = performance.now();
    this.#done = Promise.all(Array.from({ length: lanes }, () => this.#lane()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #lane(): Promise<void> {
    let target = this.#members[0] ?? '';
    while (!this.#stopped) {
      const operation = `${this.#prefix}${this.#next++}`;
      const answer = await this.#set.ask(target, 'propose', operation, 1_500);
      if (answer.startsWith('ok')) this.#acknowledge(operation);
      else {
        if (answer === 'silent' || answer === 'error unknown-outcome') this.unknown.add(operation);
        target = this.#primary() ?? target;
        await wait(20);
      }
    }
  }

  #acknowledge(operation: string): void {
    const now = performance.now();
    this.longestGap = Math.max(this.longestGap, now - this.#lastAt);
    this.#lastAt = now;
    this.acknowledged.add(operation);
  }

  #primary(): string | undefined {
    const leading = this.#members.filter((name) => this.#set.state(name)?.state === 'primary');
    return leading.toSorted((a, b) => (this.#set.state(b)?.term ?? 0) - (this.#set.state(a)?.term ?? 0))[0];
  }

  /** What was acknowledged but is not there, what is there twice, and what is there without ever having been unknown. */
  verify(operations: readonly string[]): { lost: string[]; twice: string[]; unexpected: string[] } {
    const counts = new Map<string, number>();
    for (const operation of operations) counts.set(operation, (counts.get(operation) ?? 0) + 1);
    const mine = [...counts.keys()].filter((operation) => operation.startsWith(this.#prefix));
    return {
      lost: [...this.acknowledged].filter((operation) => !counts.has(operation)),
      twice: mine.filter((operation) => (counts.get(operation) ?? 0) > 1),
      unexpected: mine.filter((operation) => !this.acknowledged.has(operation) && !this.unknown.has(operation)),
    };
  }
}
