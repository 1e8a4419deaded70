import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');

/** Where a running Quartet answers. */
export interface Endpoints {
  readonly host: string;
  readonly edge: number;
  readonly search: number;
  readonly chat: number;
  readonly database: number;
}

/** A pod as kubectl shows it. */
export interface PodView {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly ready: boolean;
  readonly uid: string;
}

interface ObjectList {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: {
      readonly name: string;
      readonly namespace: string;
      readonly uid: string;
      readonly deletionTimestamp?: string;
    };
    readonly spec: { readonly nodeName?: string };
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
      readonly primary?: string;
      readonly term?: number;
    };
  }[];
}

/** One Quartet on this computer with its own state, started and used through the `quartet` command alone. */
export class Quartet {
  readonly endpoints: Endpoints;
  readonly stateDir: string;

  constructor(stateDir: string, endpoints: Endpoints) {
    this.stateDir = stateDir;
    this.endpoints = endpoints;
  }

  /** `quartet up` with an own state directory and loopback address; resolves when all samples are Ready. */
  static async up(address: string, ...flags: string[]): Promise<Quartet> {
    const stateDir = await mkdtemp(join(tmpdir(), 'quartet-e2e-'));
    await Quartet.#command(stateDir, ['up', '--address', address, ...flags], 400_000);
    return Quartet.at(stateDir, address);
  }

  /** One that is up. */
  static at(stateDir: string, host: string): Quartet {
    return new Quartet(stateDir, { host, edge: 8080, search: 9200, chat: 8000, database: 6379 });
  }

  static async #command(stateDir: string, args: readonly string[], timeout: number): Promise<string> {
    const { stdout } = await run(join(root, 'quartet'), [...args, '--state', stateDir], {
      cwd: root,
      timeout,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** Runs one `quartet` command. */
  quartet(...args: string[]): Promise<string> {
    return Quartet.#command(this.stateDir, args, 120_000);
  }

  /** Runs kubectl with this Quartet's kubeconfig. */
  async kubectl(...args: string[]): Promise<string> {
    const { stdout } = await run(join(root, 'quartet'), ['--state', this.stateDir, 'kubectl', ...args], {
      cwd: root,
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** Applies one manifest; rejects with what kubectl printed. */
  async apply(manifest: object): Promise<void> {
    const file = join(this.stateDir, `manifest-${Date.now()}.json`);
    await writeFile(file, JSON.stringify(manifest));
    await this.kubectl('apply', '--server-side', '-f', file);
  }

  async list(kinds: string, ...flags: string[]): Promise<ObjectList['items']> {
    return (JSON.parse(await this.kubectl('get', kinds, '-o', 'json', ...flags)) as ObjectList).items;
  }

  /** Pods that are not being deleted, of all namespaces. */
  async pods(prefix = ''): Promise<PodView[]> {
    const pods = await this.list('pods', '-A');
    return pods
      .filter((pod) => pod.metadata.deletionTimestamp === undefined && pod.metadata.name.startsWith(prefix))
      .map((pod) => ({
        name: pod.metadata.name,
        namespace: pod.metadata.namespace,
        node: pod.spec.nodeName ?? '',
        uid: pod.metadata.uid,
        ready: pod.status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True') ?? false,
      }));
  }

  /** Status of one resource. */
  async status(kind: string, name: string): Promise<NonNullable<ObjectList['items'][number]['status']>> {
    const items = await this.list(kind);
    return items.find((item) => item.metadata.name === name)?.status ?? {};
  }

  /** Names of sample resources that are not Ready, with the reason. */
  async notReady(): Promise<string[]> {
    const items = await this.list('edgenodes,searchshards,chatrooms,dbshards');
    return items.flatMap((item) => {
      const ready = item.status?.conditions?.find((it) => it.type === 'Ready');
      return ready?.status === 'True'
        ? []
        : [`${item.kind}/${item.metadata.name}: ${ready?.message ?? 'no condition'}`];
    });
  }

  /** Waits until every resource is Ready and no replica set is being repaired. */
  async settled(timeoutMs = 90_000): Promise<void> {
    await eventually(async () => {
      const missing = await this.notReady();
      if (missing.length > 0) throw new Error(`not Ready: ${missing.join('; ')}`);
      const unready = (await this.pods()).filter((pod) => !pod.ready);
      if (unready.length > 0) throw new Error(`pods not ready: ${unready.map((pod) => pod.name).join(', ')}`);
    }, timeoutMs);
  }

  /** Deletes the state of a Quartet that is down. */
  async forget(): Promise<void> {
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

/** The Quartet that `start.ts` brought up for this test file. */
export const runningQuartet = (): Quartet => new Quartet(inject('stateDir'), inject('endpoints'));

/** Repeats a check until it throws no more; throws its last error after `timeoutMs`. */
export const eventually = async <T>(check: () => Promise<T>, timeoutMs: number, everyMs = 250): Promise<T> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(everyMs);
    }
  }
};
