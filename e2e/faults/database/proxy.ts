import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** Which bytes do not pass: to the process behind the proxy (`in`), from it (`out`), or both. */
export type Cut = 'none' | 'in' | 'out' | 'both';

/**
 * The way from one process to one server. While it is cut bytes are held, as a network holds what it sends again, and
 * pass late when the cut is over: so a late message is really late, not lost.
 */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;

  constructor(client: Socket, target: number) {
    this.#client = client;
    this.#server = connect({ port: target, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    for (const [from, to] of [
      [client, this.#server],
      [this.#server, client],
    ] as const) {
      from.on('error', () => {});
      from.on('close', () => to.destroy());
      from.on('data', (chunk) => {
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => this.apply(this.#cut));
        }
      });
    }
  }

  #cut: Cut = 'none';

  apply(cut: Cut): void {
    this.#cut = cut;
    if (cut === 'out' || cut === 'both') this.#client.pause();
    else this.#client.resume();
    if (cut === 'in' || cut === 'both') this.#server.pause();
    else this.#server.resume();
  }

  get over(): boolean {
    return this.#client.destroyed && this.#server.destroyed;
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}

/** Stands between one process and all NATS servers, and can cut it off from them. */
export class Proxy {
  readonly #servers: Server[] = [];
  readonly #links = new Set<Link>();
  #cut: Cut = 'none';

  /** @param targets ports of the servers */
  static async start(targets: readonly number[]): Promise<Proxy> {
    const proxy = new Proxy();
    for (const target of targets) {
      const server = createServer((client) => proxy.#take(client, target));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      proxy.#servers.push(server);
    }
    return proxy;
  }

  /** Where the process connects to: `nats://…`, one for each server. */
  get url(): string {
    return this.#servers.map((server) => `nats://127.0.0.1:${(server.address() as AddressInfo).port}`).join(',');
  }

  cut(cut: Cut): void {
    this.#cut = cut;
    for (const link of this.#links) link.apply(cut);
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const link of this.#links) link.destroy();
  }

  #take(client: Socket, target: number): void {
    for (const link of this.#links) if (link.over) this.#links.delete(link);
    const link = new Link(client, target);
    this.#links.add(link);
    link.apply(this.#cut);
  }
}
