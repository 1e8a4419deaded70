import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { attemptsOf, type Address, type Route } from './endpoints.ts';

/** A target that neither accepts nor refuses within this time is passed over. */
const connectTimeoutMs = 2000;

interface Listener {
  route: Route;
  turn: number;
  readonly server: Server;
  /** Connections by target, so that those of a target that goes away can be told apart. */
  readonly connections: Set<Socket>;
}

const nameOf = ({ host, port }: Address): string => `${host}:${port}`;

/** A connection to the first target that takes one, or undefined. */
const open = async (targets: readonly Address[]): Promise<Socket | undefined> => {
  for (const target of targets) {
    const socket = await new Promise<Socket | undefined>((resolve) => {
      const attempt = connect({ ...target, noDelay: true, allowHalfOpen: true, timeout: connectTimeoutMs });
      attempt.once('connect', () => resolve(attempt.setTimeout(0)));
      attempt.once('timeout', () => attempt.destroy());
      attempt.once('error', () => undefined);
      attempt.once('close', () => resolve(undefined));
    });
    if (socket !== undefined) return socket;
  }
  return undefined;
};

/** Two sockets become one connection: data with back-pressure, half-close and resets pass both ways. */
const join = (client: Socket, target: Socket): void => {
  const passReset = (from: Socket, to: Socket): void => {
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => to.destroySoon());
  };
  passReset(client, target);
  passReset(target, client);
  client.pipe(target);
  target.pipe(client);
};

/**
 * Services as TCP listeners. A table of routes comes in; listeners are opened, closed and redirected to match. Connections
 * that exist are left alone: their target ends them when it ends.
 */
export class ServiceProxy {
  readonly #listeners = new Map<string, Listener>();
  readonly #log: Logger;
  readonly #onListening: (name: string, error?: string) => void;

  /** `onListening` hears of each address that was opened, or why it could not be. */
  constructor(log: Logger, onListening: (name: string, error?: string) => void) {
    this.#log = log;
    this.#onListening = onListening;
  }

  /** The table is complete: what is not in it is closed. */
  apply(routes: readonly Route[]): void {
    const wanted = new Map(routes.map((route) => [nameOf(route.listen), route]));
    for (const [name, listener] of this.#listeners) if (!wanted.has(name)) this.#close(name, listener);
    for (const [name, route] of wanted) {
      const listener = this.#listeners.get(name);
      if (listener === undefined) this.#open(name, route);
      else listener.route = route;
    }
  }

  close(): void {
    for (const [name, listener] of this.#listeners) {
      this.#close(name, listener);
      for (const socket of listener.connections) socket.destroy();
    }
  }

  #close(name: string, listener: Listener): void {
    listener.server.close();
    this.#listeners.delete(name);
  }

  #open(name: string, route: Route): void {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    const listener: Listener = { route, turn: 0, server, connections: new Set() };
    this.#listeners.set(name, listener);
    server.on('connection', (client) => void this.#serve(listener, client));
    server.on('listening', () => this.#onListening(name));
    server.on('error', (error) => {
      this.#log.error({ service: route.name, address: name, reason: error.message }, 'cannot listen for a service');
      this.#listeners.delete(name);
      this.#onListening(name, error.message);
    });
    server.listen({ ...route.listen, backlog: 4096 });
  }

  async #serve(listener: Listener, client: Socket): Promise<void> {
    listener.connections.add(client);
    client.on('close', () => listener.connections.delete(client));
    // Until there is a target, an error of the client is just its end.
    client.on('error', () => undefined);
    listener.turn += 1;
    const target = await open(attemptsOf(listener.route, listener.turn, client.remoteAddress ?? ''));
    if (target === undefined) {
      client.resetAndDestroy();
      return;
    }
    if (client.destroyed) target.destroy();
    else join(client, target);
  }
}
