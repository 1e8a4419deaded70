import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { controlReply, type ControlRequest } from '../../../contract/control.ts';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import { logStreamConfig } from '../../../contract/streams.ts';
import { controlSubject } from '../../../contract/subjects.ts';
import { type Nats, startNats } from '../../../local/nats-server.ts';
import { freePort } from '../../../local/processes/ports.ts';
import { type Heartbeats, watchHeartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { putDirectory, testPod } from '../../fabric/testing.ts';

const program = new URL('../../main.ts', import.meta.url).pathname;
const namespace = 'test';

export interface IndexSpec {
  readonly index: string;
  readonly shards: number;
  readonly replicas: number;
}

/** SearchShards and a gateway as processes, with a real nats-server; the test plays the operator. For integration tests. */
export class SearchCluster {
  readonly nats: Nats;
  readonly pod: Pod;
  readonly beats: Heartbeats;
  /** The gateway's address. */
  url = '';
  readonly #dir: string;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #entries = new Map<string, SearchShardEntry>();

  private constructor(dir: string, nats: Nats, pod: Pod) {
    this.#dir = dir;
    this.nats = nats;
    this.pod = pod;
    this.beats = watchHeartbeats(pod, 'search');
  }

  static async start(indexes: readonly IndexSpec[]): Promise<SearchCluster> {
    const dir = await mkdtemp(join(tmpdir(), 'quartet-search-'));
    const nats = await startNats({ dir: join(dir, 'nats') });
    await nats.ready();
    const cluster = new SearchCluster(dir, nats, await testPod(nats.url, 'search', { QUARTET_POD: 'observer' }));
    try {
      await cluster.#startAll(indexes);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async #startAll(indexes: readonly IndexSpec[]): Promise<void> {
    for (const spec of indexes) {
      for (let ordinal = 0; ordinal < spec.shards; ordinal++) await this.#addShard(spec, ordinal);
    }
    const port = await freePort();
    this.#spawn('gateway', 'search-gateway', { QUARTET_PORT: String(port) });
    this.url = `http://127.0.0.1:${port}`;
    for (const { name } of this.#entries.values()) await this.promote(name, `${name}-0`, 1);
    await this.until('the gateway answers', async () => (await fetch(this.url)).ok);
  }

  async #addShard({ index, shards, replicas }: IndexSpec, ordinal: number): Promise<void> {
    const name = `${index}-${ordinal}`;
    const manager = await jetstreamManager(this.pod.nats, { checkAPI: false });
    const config = logStreamConfig({ kind: 'search', namespace, name }, 1);
    const { created } = await manager.streams.add(config as unknown as Parameters<typeof manager.streams.add>[0]);
    const members = Array.from({ length: replicas }, (_, i) => ({ pod: `${name}-${i}`, node: `node-${i}`, zone: '' }));
    const entry: SearchShardEntry = {
      kind: 'search',
      namespace,
      name,
      index,
      ordinal,
      of: shards,
      analyzer: 'english',
      conflict: null,
      primary: null,
      term: 0,
      log: { stream: config.name, created: String(created) },
      members,
    };
    this.#entries.set(name, entry);
    await putDirectory(this.pod, 'search', entry);
    for (const { pod } of members) this.startMember(pod);
  }

  /** Starts the process of a member (again); its data are where they were. */
  startMember(pod: string): void {
    const resource = pod.slice(0, pod.lastIndexOf('-'));
    this.#spawn(pod, 'search', { QUARTET_RESOURCE: resource, QUARTET_DATA_DIR: join(this.#dir, pod) });
  }

  #spawn(pod: string, role: string, environment: Record<string, string>): void {
    const child = spawn(process.execPath, [program, role], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        QUARTET_NAMESPACE: namespace,
        QUARTET_POD: pod,
        QUARTET_POD_IP: '127.0.0.1',
        QUARTET_NODE: `node-of-${pod}`,
        QUARTET_NATS_URL: this.nats.url,
        QUARTET_ADMIN_PORT: '0',
        QUARTET_LOG_LEVEL: process.env['QUARTET_TEST_LOG'] ?? 'fatal',
        ...environment,
      },
    });
    this.#processes.set(pod, child);
  }

  /** Makes a member primary, as the operator would. */
  async promote(shard: string, pod: string, term: number): Promise<void> {
    const request: ControlRequest = { type: 'promote', term };
    await this.until(`${pod} leads ${shard}`, async () => {
      const message = await this.pod.nats.request(controlSubject(namespace, pod), JSON.stringify(request), {
        timeout: 5000,
      });
      const reply = controlReply.parse(JSON.parse(message.string()));
      return reply.ok || (reply.code === 'stale-term' && this.beats.get(pod)?.beat.replica?.state === 'primary');
    });
    const entry = { ...(this.#entries.get(shard) as SearchShardEntry), primary: pod, term };
    this.#entries.set(shard, entry);
    await putDirectory(this.pod, 'search', entry);
    await this.until(`${pod} reports that it leads`, () => this.beats.get(pod)?.beat.replica?.state === 'primary');
  }

  /** Ends a process at once, as a crash does. Resolves when it is gone. */
  async kill(pod: string): Promise<void> {
    const child = this.#processes.get(pod);
    if (child === undefined) return;
    this.#processes.delete(pod);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Waits until a condition holds, two minutes at most. A condition that throws does not hold yet. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 120_000;
    let last: unknown;
    while (performance.now() < deadline) {
      try {
        if (await holds()) return;
      } catch (error) {
        last = error;
      }
      await sleep(25);
    }
    throw new Error(`timed out: ${what}`, { cause: last });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((pod) => this.kill(pod)));
    await this.pod.stop();
    await this.nats.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
