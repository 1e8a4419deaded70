import type { NatsConnection } from '@nats-io/nats-core';
import { deployments, nodes, persistentVolumeClaims, pods, type Node, type Pod } from '../runtime/builtin.ts';
import type { KubeClient } from '../runtime/client.ts';
import { FakeReplica, type FakeLog } from './fake-replica.ts';

const name = ({ metadata }: Pod): string => metadata.name;

/**
 * Stands in for scheduler, kubelets and the deployment controller of a test cluster: pods of replica sets run as
 * {@link FakeReplica}s on the node that their affinity names, Deployments are available at once.
 */
export class FakeNodes {
  readonly #client: KubeClient;
  readonly #nats: NatsConnection;
  readonly #replicas = new Map<string, FakeReplica>();
  readonly #dead = new Set<string>();
  readonly logs = new Map<string, FakeLog>();
  #running = true;
  #loop: Promise<void> | null = null;

  constructor(client: KubeClient, nats: NatsConnection) {
    this.#client = client;
    this.#nats = nats;
  }

  /** Makes ready nodes, each in a zone of its own, and begins to run pods. */
  async start(names: readonly string[]): Promise<void> {
    for (const node of names) {
      const metadata = { name: node, labels: { 'topology.kubernetes.io/zone': `zone-${node}` } };
      await this.#client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata } as Node);
      // the API server taints new nodes, a controller that is not here takes the taint away
      await this.#client.merge(nodes, { name: node }, { spec: { taints: null } });
      await this.setReady(node, true);
    }
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#loop;
    for (const replica of this.#replicas.values()) replica.kill();
  }

  /** What the node lifecycle controller would write. */
  async setReady(node: string, ready: boolean): Promise<void> {
    const now = new Date().toISOString();
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'Unknown',
      lastTransitionTime: now,
      lastHeartbeatTime: now,
    };
    await this.#client.merge(nodes, { name: node }, { status: { conditions: [condition] } }, { subresource: 'status' });
  }

  /** A pod's process dies and stays dead. */
  killProcess(pod: string): void {
    this.#dead.add(pod);
    this.#replicas.get(pod)?.kill();
    this.#replicas.delete(pod);
  }

  /** It comes back. */
  reviveProcess(pod: string): void {
    this.#dead.delete(pod);
  }

  /** A replica leads from now on, in the next term. */
  lead(pod: string): void {
    const replica = this.#replicas.get(pod);
    if (replica === undefined) throw new Error(`no replica ${pod} runs`);
    replica.lead();
  }

  /** A node goes: its processes die, Kubernetes learns of it. */
  async killNode(node: string): Promise<void> {
    const { items } = await this.#client.list(pods);
    for (const pod of items.filter(({ spec }) => spec?.nodeName === node)) this.killProcess(name(pod));
    await this.setReady(node, false);
  }

  async #run(): Promise<void> {
    while (this.#running) {
      // an object may change or go between list and write: the next round sees it
      await this.#round().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #round(): Promise<void> {
    const { items } = await this.#client.list(pods);
    const replicas = items.filter(({ metadata }) => metadata.annotations?.['quartet.dev/node'] !== undefined);
    await Promise.allSettled(replicas.map((pod) => this.#tend(pod)));
    await this.#tendOthers();
  }

  async #tend(pod: Pod): Promise<void> {
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (this.#dead.has(name(pod))) return;
      this.#replicas.get(name(pod))?.kill();
      this.#replicas.delete(name(pod));
      await this.#client.delete(pods, pod.metadata, { gracePeriodSeconds: 0 });
      return;
    }
    if (pod.spec?.nodeName === undefined) await this.#bind(pod);
    if (pod.status?.phase !== 'Running') await this.#setRunning(pod);
    if (!this.#replicas.has(name(pod)) && !this.#dead.has(name(pod))) this.#launch(pod);
  }

  async #bind(pod: Pod): Promise<void> {
    const node = pod.metadata.annotations?.['quartet.dev/node'];
    const { namespace = '' } = pod.metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: name(pod), namespace }, target };
    const resource = { ...pods, plural: `pods/${name(pod)}/binding` };
    await this.#client.create(resource as typeof pods, binding as unknown as Pod);
  }

  async #setRunning(pod: Pod): Promise<void> {
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }];
    const status = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }], conditions };
    await this.#client.merge(pods, pod.metadata, { status }, { subresource: 'status' });
  }

  #launch(pod: Pod): void {
    const { namespace = '', labels = {}, annotations = {} } = pod.metadata;
    const resource = labels['app.kubernetes.io/instance'] ?? '';
    const role = labels['app.kubernetes.io/name'] === 'quartet-db' ? 'db' : 'search';
    const key = `${role}/${resource}`;
    const log = this.logs.get(key) ?? { term: 0, leader: null, applied: 0 };
    this.logs.set(key, log);
    const node = annotations['quartet.dev/node'] ?? '';
    const options = { nats: this.#nats, namespace, resource, role, pod: name(pod), node, log } as const;
    this.#replicas.set(name(pod), new FakeReplica(options));
  }

  /** Deployments become available; claims that are deleted lose the finalizer that protects them. */
  async #tendOthers(): Promise<void> {
    const { items } = await this.#client.list(deployments);
    for (const { metadata, spec, status } of items) {
      const replicas = spec?.replicas ?? 1;
      if (status?.availableReplicas === replicas) continue;
      const ready = { replicas, readyReplicas: replicas, updatedReplicas: replicas, availableReplicas: replicas };
      await this.#client.merge(deployments, metadata, { status: ready }, { subresource: 'status' });
    }
    const claims = await this.#client.list(persistentVolumeClaims);
    for (const { metadata } of claims.items) {
      if (metadata.deletionTimestamp === undefined || !metadata.finalizers?.length) continue;
      await this.#client
        .patchMetadata(persistentVolumeClaims, { ...metadata }, { finalizers: null })
        .catch(() => undefined);
    }
  }
}
