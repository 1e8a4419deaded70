import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ApiClient } from '../api/client.ts';
import type { Service } from '../api/objects.ts';
import { Watch } from '../api/watch.ts';
import { reasonOf } from '../errors.ts';
import { programs } from '../kubelet/program.ts';
import { startChild, type Child } from '../processes/child.ts';
import { routesOf, type Backend } from './endpoints.ts';
import type { ListeningMessage } from './main.ts';

export interface PublisherOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  /** Address of load balancers. */
  readonly publicHost: string;
  readonly logFile: string;
  readonly backends: () => readonly Backend[];
}

/** Services for people and pods: watches them, tells the proxy's process what to do, reports load balancers' addresses. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #watch: Watch<Service>;
  readonly #listening = new Set<string>();
  readonly #errors = new Map<string, string>();
  #proxy: Child | undefined;
  #told = '';
  #scheduled = false;
  #stopping = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#watch = new Watch<Service>({
      client: options.client,
      path: '/api/v1/services',
      onChange: (_key, service) => {
        this.refresh();
        if (service !== undefined) this.#reportIngress(service);
      },
      onTrouble: (reason) => options.log.debug({ reason }, 'watch broke, watching again'),
    });
  }

  get pid(): number {
    return this.#proxy?.exit === undefined ? (this.#proxy?.pid ?? 0) : 0;
  }

  /** Addresses that cannot be listened on, and why. */
  get errors(): ReadonlyMap<string, string> {
    return this.#errors;
  }

  start(): void {
    this.#launch();
    this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#watch.stop();
    await this.#proxy?.stop(1000);
  }

  /** Something changed: looked at once for all changes of this moment. */
  refresh(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#tell();
    });
  }

  #tell(): void {
    const routes = routesOf(this.#watch.items.values(), this.#options.backends(), this.#options.publicHost);
    const text = JSON.stringify(routes);
    if (text === this.#told) return;
    this.#told = text;
    this.#proxy?.send(routes);
  }

  #launch(): void {
    const proxy = startChild({
      name: 'service-proxy',
      command: join(programs, 'node'),
      args: [join(import.meta.dirname, 'main.ts')],
      log: this.#options.logFile,
      ipc: true,
    });
    this.#proxy = proxy;
    this.#told = '';
    this.#listening.clear();
    proxy.onMessage((message) => this.#onListening(message as ListeningMessage));
    this.refresh();
    void proxy.exited.then(() => {
      if (this.#stopping) return;
      this.#options.log.warn('the service proxy ended, starting it again');
      setTimeout(() => this.#stopping || this.#launch(), 200);
    });
  }

  #onListening({ address, error }: ListeningMessage): void {
    if (error !== undefined) {
      this.#errors.set(address, error);
      // Somebody else has the port: ask again until it is free.
      setTimeout(() => {
        this.#told = '';
        this.refresh();
      }, 2000).unref();
      return;
    }
    this.#errors.delete(address);
    this.#listening.add(address);
    for (const service of this.#watch.items.values()) this.#reportIngress(service);
  }

  /** A load balancer has its address once we listen on all its ports. */
  #reportIngress(service: Service): void {
    const { publicHost, client, log } = this.#options;
    if (service.spec.type !== 'LoadBalancer') return;
    if (service.status?.loadBalancer?.ingress?.some(({ ip }) => ip === publicHost)) return;
    if (!(service.spec.ports ?? []).every(({ port }) => this.#listening.has(`${publicHost}:${port}`))) return;
    const path = `/api/v1/namespaces/${service.metadata.namespace}/services/${service.metadata.name}/status`;
    client.patch(path, { status: { loadBalancer: { ingress: [{ ip: publicHost }] } } }).catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'load balancer address not reported');
    });
  }
}
