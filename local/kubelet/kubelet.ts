import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { ApiClient } from '../api/client.ts';
import { keyOf, type Node, type Pod } from '../api/objects.ts';
import { Watch } from '../api/watch.ts';
import { LocalError } from '../errors.ts';
import type { PodAddresses } from './addresses.ts';
import { eventRecorder } from './events.ts';
import { NodeAgent, type NodeIdentity } from './node.ts';
import { StartGate } from './start-gate.ts';
import { PodWorker } from './pod-worker.ts';

export interface KubeletOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  readonly stateDir: string;
  readonly certificate: string;
  readonly nodes: readonly NodeIdentity[];
  readonly addresses: PodAddresses;
  readonly kubeletPort: number;
  /** The set of pods that may get requests, or their addresses, changed. */
  readonly onEndpoints: () => void;
}

const finished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/**
 * The kubelet of all nodes of an instance: one process, one watch on pods, a worker per pod. What runs is decided here and
 * told to the API; nothing that runs depends on the API server being there.
 */
export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #agents: ReadonlyMap<string, NodeAgent>;
  readonly #workers = new Map<string, PodWorker>();
  readonly #podWatch: Watch<Pod>;
  readonly #nodeWatch: Watch<Node>;
  readonly #recordEvent: ReturnType<typeof eventRecorder>;
  readonly #gate = new StartGate(Math.max(4, availableParallelism() * 2), 3000);
  #stopping = false;

  constructor(options: KubeletOptions) {
    const { client, log, nodes, kubeletPort } = options;
    this.#options = options;
    this.#recordEvent = eventRecorder(client, log);
    this.#agents = new Map(nodes.map((node) => [node.name, new NodeAgent({ client, log, node, kubeletPort })]));
    const onTrouble = (reason: string): void => log.debug({ reason }, 'watch broke, watching again');
    this.#podWatch = new Watch<Pod>({
      client,
      path: '/api/v1/pods',
      onChange: (key, pod) => this.#onPod(key, pod),
      onTrouble,
    });
    this.#nodeWatch = new Watch<Node>({
      client,
      path: '/api/v1/nodes',
      onChange: (name, node) => node && this.#agents.get(name)?.onNode(node),
      onTrouble,
    });
  }

  /** Every pod that runs or starts here. */
  get workers(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  get agents(): Iterable<NodeAgent> {
    return this.#agents.values();
  }

  /** Registers the nodes and begins to run pods. @throws ApiError */
  async start(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.start()));
    this.#podWatch.start();
    this.#nodeWatch.start();
  }

  /** The processes end, the objects stay: the next start runs them again. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const agent of this.#agents.values()) agent.stop();
    await Promise.all([this.#podWatch.stop(), this.#nodeWatch.stop()]);
    await Promise.all([...this.#workers.values()].map((worker) => worker.abandon(graceMs)));
  }

  /** Pods as `namespace/name`, or by name alone when that is unique. @throws LocalError `unknown-name` */
  find(name: string): PodWorker {
    const found = [...this.#workers.values()].filter(({ pod }) => keyOf(pod) === name || pod.metadata.name === name);
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    const why =
      found.length === 0 ? 'no pod of that name runs' : 'several namespaces have that pod: say NAMESPACE/NAME';
    throw new LocalError('unknown-name', `${name}: ${why}`);
  }

  /** A power cut: the node falls silent and its processes are gone. @throws LocalError */
  async killNode(name: string): Promise<void> {
    const agent = this.#agent(name);
    if (!agent.alive) throw new LocalError('invalid', `${name} is dead already`);
    agent.stop();
    const gone = [...this.#workers].filter(([, { pod }]) => pod.spec.nodeName === name);
    for (const [key] of gone) this.#workers.delete(key);
    await Promise.all(gone.map(([, worker]) => worker.abandon(0)));
    for (const [, worker] of gone) this.#options.addresses.release(worker.address);
    this.#options.onEndpoints();
  }

  /** The power is back: it registers, and runs again what is still bound to it. @throws LocalError */
  async reviveNode(name: string): Promise<void> {
    const agent = this.#agent(name);
    if (agent.alive) throw new LocalError('invalid', `${name} is alive`);
    await agent.start().catch((error: unknown) => {
      agent.stop();
      throw error;
    });
    for (const [key, pod] of this.#podWatch.items) if (pod.spec.nodeName === name) this.#onPod(key, pod);
  }

  #agent(name: string): NodeAgent {
    const agent = this.#agents.get(name);
    if (agent !== undefined) return agent;
    throw new LocalError('unknown-name', `no node ${name}: there are ${[...this.#agents.keys()].join(', ')}`);
  }

  #onPod(key: string, pod: Pod | undefined): void {
    if (this.#stopping) return;
    const worker = this.#workers.get(key);
    if (worker !== undefined && worker.pod.metadata.uid !== pod?.metadata.uid) this.#drop(key, worker);
    if (pod !== undefined && this.#agents.get(pod.spec.nodeName ?? '')?.alive === true) this.#run(key, pod);
  }

  #run(key: string, pod: Pod): void {
    const worker = this.#workers.get(key) ?? this.#adopt(key, pod);
    worker?.update(pod);
    if (pod.metadata.deletionTimestamp !== undefined) void worker?.terminate();
    this.#options.onEndpoints();
  }

  /** The object is gone although its pod runs (deleted by force): end the processes. */
  #drop(key: string, worker: PodWorker): void {
    this.#workers.delete(key);
    const release = (): void => this.#options.addresses.release(worker.address);
    void worker.abandon(1000).then(release, release);
    this.#options.onEndpoints();
  }

  #adopt(key: string, pod: Pod): PodWorker | undefined {
    if (finished(pod) && pod.metadata.deletionTimestamp === undefined) return undefined;
    const { client, log, stateDir, certificate, addresses, onEndpoints } = this.#options;
    const worker = new PodWorker(pod, {
      client,
      log,
      stateDir,
      certificate,
      hostIP: this.#agents.get(pod.spec.nodeName ?? '')?.identity.address ?? '127.0.0.1',
      address: addresses.take(pod.status?.podIP),
      gate: this.#gate,
      recordEvent: this.#recordEvent,
      onChange: onEndpoints,
    });
    this.#workers.set(key, worker);
    // A pod that was to be deleted while nobody ran it needs no process to end.
    if (pod.metadata.deletionTimestamp === undefined) void worker.start();
    return worker;
  }
}
