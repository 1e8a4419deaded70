import { totalmem } from 'node:os';
import type { Logger } from 'pino';
import { ApiError, type ApiClient } from '../api/client.ts';
import type { Node } from '../api/objects.ts';
import { reasonOf } from '../errors.ts';

/** Time between two renewals of a node's lease; the controller manager waits 6 s. */
const leaseEveryMs = 1500;
const leaseSeconds = 6;

/** A node to be: `node-a` in zone `zone-a`. */
export interface NodeIdentity {
  readonly name: string;
  readonly zone: string;
  readonly address: string;
}

/** The nodes of an instance: a, b, c, … each in its own zone; beyond the third the zones repeat. */
export const nodeIdentities = (count: number, address: (index: number) => string): NodeIdentity[] =>
  Array.from({ length: count }, (_, index) => {
    const letter = (of: number): string => String.fromCodePoint(97 + of);
    return { name: `node-${letter(index)}`, zone: `zone-${letter(index % 3)}`, address: address(index) };
  });

const microTime = (): string => new Date().toISOString().replace('Z', '000Z');

export interface NodeAgentOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  readonly node: NodeIdentity;
  /** Port of the endpoint that serves logs. */
  readonly kubeletPort: number;
}

/** Makes a node known and keeps it alive: the Node object, its Ready condition, its lease. */
export class NodeAgent {
  readonly identity: NodeIdentity;
  readonly #options: NodeAgentOptions;
  #alive = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    this.identity = options.node;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Registers it and starts to renew its lease. @throws ApiError */
  async start(): Promise<void> {
    this.#alive = true;
    await this.#register();
    await this.#renew();
    await this.reportReady();
    this.#renewLater();
  }

  /** It falls silent, as a machine without power. */
  stop(): void {
    this.#alive = false;
    clearTimeout(this.#timer);
  }

  /** The controller manager thinks that the node is gone (the API server was away for long): contradict. */
  onNode(node: Node): void {
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    if (!this.#alive || ready === undefined || ready.status === 'True') return;
    this.reportReady().catch((error: unknown) => {
      this.#options.log.debug({ node: this.identity.name, reason: reasonOf(error) }, 'readiness not reported');
    });
  }

  async #register(): Promise<void> {
    const { client } = this.#options;
    const { name, zone } = this.identity;
    const labels = {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch,
      'topology.kubernetes.io/zone': zone,
      'topology.kubernetes.io/region': 'local',
    };
    if ((await client.find(`/api/v1/nodes/${name}`)) !== undefined) return;
    await client.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  }

  /** @throws ApiError */
  async reportReady(): Promise<void> {
    const { client, kubeletPort } = this.#options;
    const { name, address } = this.identity;
    const now = new Date().toISOString();
    const condition = (type: string, status: string, reason: string): object => ({
      type,
      status,
      reason,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    });
    const amounts = {
      cpu: '64',
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      pods: '250',
      'ephemeral-storage': '1Ti',
    };
    await client.patch(
      `/api/v1/nodes/${name}/status`,
      {
        status: {
          capacity: amounts,
          allocatable: amounts,
          addresses: [
            { type: 'InternalIP', address },
            { type: 'Hostname', address: name },
          ],
          daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
          nodeInfo: {
            architecture: process.arch,
            bootID: '',
            containerRuntimeVersion: 'process://1',
            kernelVersion: '',
            kubeProxyVersion: '',
            kubeletVersion: 'v1.34.4',
            machineID: '',
            operatingSystem: process.platform,
            osImage: 'none: pods are processes',
            systemUUID: '',
          },
          conditions: [
            condition('Ready', 'True', 'KubeletReady'),
            condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
            condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
            condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
          ],
        },
      },
      'strategic-merge',
    );
  }

  #renewLater(): void {
    if (!this.#alive) return;
    this.#timer = setTimeout(() => {
      this.#renew()
        .catch((error: unknown) => {
          this.#options.log.debug({ node: this.identity.name, reason: reasonOf(error) }, 'lease not renewed');
        })
        .finally(() => this.#renewLater());
    }, leaseEveryMs);
  }

  async #renew(): Promise<void> {
    const { client } = this.#options;
    const { name } = this.identity;
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: microTime() };
    try {
      await client.patch(`${leases}/${name}`, { spec });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      await client.post(leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec });
    }
  }
}
