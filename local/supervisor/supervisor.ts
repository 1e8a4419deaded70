import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { startControlPlane, type ControlPlane } from '../control-plane.ts';
import { LocalError } from '../errors.ts';
import { addressPlan } from '../kubelet/addresses.ts';
import { Kubelet } from '../kubelet/kubelet.ts';
import { startLogEndpoint } from '../kubelet/log-endpoint.ts';
import { nodeIdentities } from '../kubelet/node.ts';
import { logDirectory } from '../kubelet/pod-worker.ts';
import { startNats, type Nats, type NatsServer } from '../nats-server.ts';
import { Keeper } from '../processes/keeper.ts';
import { reaper } from '../processes/reaper.ts';
import { Publisher } from '../services/publisher.ts';
import { Provisioner } from '../volumes/provisioner.ts';
import { kubeletPort, type Instance } from './state.ts';

export interface SupervisorOptions {
  readonly stateDir: string;
  readonly instance: Instance;
  readonly log: Logger;
  /** A step of the start begins (for people). */
  readonly onStep: (step: string) => void;
}

const podGraceMs = 8000;

/** Everything of one instance: control plane, NATS, nodes, volumes, services. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #keeper: Keeper;
  #controlPlane: ControlPlane | undefined;
  #nats: Nats | undefined;
  #kubelet: Kubelet | undefined;
  #publisher: Publisher | undefined;
  #provisioner: Provisioner | undefined;
  #logEndpoint: { close(): void } | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#keeper = new Keeper(options.log);
  }

  get controlPlane(): ControlPlane {
    return this.#present(this.#controlPlane);
  }
  /** Monitors of the NATS servers; none until they run. */
  get natsMonitors(): string[] {
    return this.#nats?.servers.map(({ monitor }) => monitor) ?? [];
  }

  get nats(): Nats {
    return this.#present(this.#nats);
  }
  get kubelet(): Kubelet {
    return this.#present(this.#kubelet);
  }
  get publisher(): Publisher {
    return this.#present(this.#publisher);
  }

  #present<T>(part: T | undefined): T {
    if (part === undefined) throw new LocalError('not-running', 'still starting');
    return part;
  }

  /** @throws LocalError; then nothing is left running. */
  async start(): Promise<void> {
    try {
      await this.#startServers();
      await this.#startNodes();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #startServers(): Promise<void> {
    const { stateDir, instance, onStep } = this.#options;
    onStep('control plane and NATS');
    const nats = startNats({
      dir: join(stateDir, 'nats'),
      servers: instance.natsServers,
      ports: instance.ports.nats,
    }).then((started) => (this.#nats = started));
    const controlPlane = startControlPlane({
      dir: join(stateDir, 'control-plane'),
      controllers: true,
      ports: instance.ports,
      serviceRange: addressPlan(instance.block).services,
    }).then((started) => (this.#controlPlane = started));
    // Both are awaited even when one fails, so that nothing starts after we gave up.
    const [first, second] = await Promise.allSettled([nats, controlPlane]);
    if (first.status === 'rejected') throw first.reason;
    if (second.status === 'rejected') throw second.reason;
    for (const component of this.controlPlane.components) this.#keeper.keep(component);
    for (const server of this.nats.servers) this.#keeper.keep(server);
  }

  async #startNodes(): Promise<void> {
    const { stateDir, instance, log, onStep } = this.#options;
    const { client, certificate } = this.controlPlane;
    onStep('nodes');
    const plan = addressPlan(instance.block);
    const nodes = nodeIdentities(instance.nodes, (index) => plan.node(index));
    await mkdir(join(stateDir, 'pods'), { recursive: true });
    this.#provisioner = new Provisioner({ client, log, dir: join(stateDir, 'volumes') });
    const kubelet = new Kubelet({
      client,
      log,
      stateDir,
      certificate,
      nodes,
      kubeletPort,
      addresses: plan.pods(),
      onEndpoints: () => this.#publisher?.refresh(),
    });
    this.#kubelet = kubelet;
    this.#publisher = new Publisher({
      client,
      log,
      publicHost: instance.publicHost,
      logFile: join(stateDir, 'logs', 'service-proxy.log'),
      backends: () =>
        [...kubelet.workers].map((worker) => ({ pod: worker.pod, address: worker.address, ready: worker.ready })),
    });
    this.#logEndpoint = await startLogEndpoint({
      hosts: nodes.map((node) => node.address),
      port: kubeletPort,
      certificate: await readFile(certificate, 'utf8'),
      key: await readFile(certificate.replace(/\.crt$/, '.key'), 'utf8'),
      directory: (pod) => logDirectory(stateDir, kubelet.find(pod).pod),
    });
    await this.#provisioner.start();
    this.#publisher.start();
    await kubelet.start();
  }

  /** Pods first, while everything that they want to say goodbye to is there; etcd last. */
  async stop(): Promise<void> {
    this.#keeper.stop();
    await this.#kubelet?.stop(podGraceMs);
    this.#logEndpoint?.close();
    await Promise.all([this.#provisioner?.stop(), this.#publisher?.stop(), this.#nats?.stop()]);
    await this.#controlPlane?.stop();
  }

  /** A power cut at a node. With three NATS servers one of them lives there and goes too. @throws LocalError */
  async killNode(name: string): Promise<void> {
    const server = this.#natsOn(name);
    const killed = this.kubelet.killNode(name);
    if (server !== undefined) {
      this.#keeper.pause(server.name);
      server.kill('SIGKILL');
    }
    await killed;
  }

  /** @throws LocalError */
  async reviveNode(name: string): Promise<void> {
    const server = this.#natsOn(name);
    await this.kubelet.reviveNode(name);
    if (server !== undefined && !server.running) await this.#keeper.resume(server);
  }

  /** The n-th server of a cluster lives on the n-th node; a single one lives beside the nodes. */
  #natsOn(node: string): NatsServer | undefined {
    const { servers } = this.nats;
    if (servers.length === 1) return undefined;
    return servers[[...this.kubelet.agents].findIndex(({ identity }) => identity.name === node)];
  }

  /** Processes that are not pods, by name. */
  processes(): { name: string; pid: number }[] {
    return [
      { name: 'supervisor', pid: process.pid },
      { name: 'reaper', pid: reaper.pid ?? 0 },
      { name: 'service-proxy', pid: this.#publisher?.pid ?? 0 },
      ...(this.#controlPlane?.components ?? []).map(({ name, pid }) => ({ name, pid })),
      ...(this.#nats?.servers ?? []).map(({ name, pid }) => ({ name, pid })),
    ];
  }
}
