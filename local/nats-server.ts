import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { maxPayloadBytes } from '../contract/streams.ts';
import { LocalError } from './errors.ts';
import { startChild, type Child } from './processes/child.ts';
import { freePorts } from './processes/ports.ts';
import { until } from './processes/until.ts';
import { tool } from './tools.ts';

export interface NatsOptions {
  /** Holds configuration, logs and JetStream data; made when missing. Data in it are used again. */
  readonly dir: string;
  /** Three servers form a cluster. */
  readonly servers?: 1 | 3;
  /** Client ports; free ones when left out. */
  readonly ports?: readonly number[];
}

/** One nats-server. */
export interface NatsServer {
  readonly name: string;
  readonly running: boolean;
  readonly url: string;
  /** Where it tells how it is: `/varz`, `/jsz`. */
  readonly monitor: string;
  readonly port: number;
  /** Of the running process; 0 while there is none. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended; at once when there is none. */
  readonly exited: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again on the same port and data, once the process that was killed is gone. Resolves when it takes clients. */
  start(): Promise<void>;
  /** Orderly: it flushes and says goodbye to its clients. */
  stop(): Promise<void>;
}

export interface Nats {
  /** All servers, separated by commas. */
  readonly url: string;
  readonly servers: readonly NatsServer[];
  /** Resolves when JetStream answers on every running server. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

interface Place {
  readonly name: string;
  readonly dir: string;
  readonly client: number;
  readonly cluster: number;
  readonly monitor: number;
}

const startTimeoutMs = 60_000;
const stopGraceMs = 5_000;

/**
 * The configuration file. `sync_interval: always`: an acknowledged message is on the disk. The payload bound is what a
 * log entry needs. Loopback only.
 */
const configuration = (place: Place, all: readonly Place[]): string => {
  const lines = [
    `server_name: ${place.name}`,
    `listen: "127.0.0.1:${place.client}"`,
    `http: "127.0.0.1:${place.monitor}"`,
    `max_payload: ${maxPayloadBytes}`,
    `max_pending: ${256 * 1024 * 1024}`,
    'write_deadline: "10s"',
    `jetstream { store_dir: ${JSON.stringify(join(place.dir, 'data'))}, sync_interval: always }`,
  ];
  if (all.length > 1) {
    const routes = all.map((peer) => `"nats://127.0.0.1:${peer.cluster}"`).join(', ');
    lines.push(
      `cluster { name: quartet, listen: "127.0.0.1:${place.cluster}", no_advertise: true, routes: [${routes}] }`,
    );
  }
  return `${lines.join('\n')}\n`;
};

const answersOk = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get(url, { timeout: 1000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });

class Server implements NatsServer {
  readonly #place: Place;
  readonly #program: string;
  #child: Child | undefined;
  /** Was sent SIGKILL: it runs no more, though it may take a while to be gone (a write to a slow disk holds it). */
  #killed: Child | undefined;

  constructor(program: string, place: Place) {
    this.#program = program;
    this.#place = place;
  }

  get name(): string {
    return this.#place.name;
  }
  get url(): string {
    return `nats://127.0.0.1:${this.#place.client}`;
  }
  get monitor(): string {
    return `http://127.0.0.1:${this.#place.monitor}`;
  }
  get port(): number {
    return this.#place.client;
  }
  get pid(): number {
    return this.running ? (this.#child?.pid ?? 0) : 0;
  }
  get running(): boolean {
    return this.#child !== undefined && this.#child.exit === undefined && this.#child !== this.#killed;
  }
  get exited(): Promise<unknown> {
    return this.#child?.exited ?? Promise.resolve();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
    if (signal === 'SIGKILL') this.#killed = this.#child;
  }

  async start(): Promise<void> {
    if (this.running) return;
    await this.exited;
    this.#child = startChild({
      name: this.#place.name,
      command: this.#program,
      args: ['-c', join(this.#place.dir, 'nats.conf')],
      log: join(this.#place.dir, 'nats.log'),
    });
    await this.#until('healthz?js-enabled-only=true');
  }

  /** JetStream has recovered, and in a cluster has found its leader. */
  ready(): Promise<void> {
    return this.#until('healthz');
  }

  async #until(path: string): Promise<void> {
    await until({ what: this.#place.name, timeoutMs: startTimeoutMs, giveUp: () => this.#mustRun() }, async () =>
      (await answersOk(`${this.monitor}/${path}`)) ? true : undefined,
    );
  }

  #mustRun(): void {
    if (!this.running) {
      throw new LocalError('start-failed', `${this.#place.name} ended: see ${join(this.#place.dir, 'nats.log')}`);
    }
  }

  async stop(): Promise<void> {
    await this.#child?.stop(stopGraceMs);
  }
}

const choosePlaces = async (options: NatsOptions): Promise<Place[]> => {
  const count = options.servers ?? 1;
  const ports = await freePorts(count * 3);
  return Array.from({ length: count }, (_, i) => ({
    name: `nats-${i}`,
    dir: join(options.dir, `nats-${i}`),
    client: options.ports?.[i] ?? ports[i * 3] ?? 0,
    cluster: ports[i * 3 + 1] ?? 0,
    monitor: ports[i * 3 + 2] ?? 0,
  }));
};

/**
 * Starts one nats-server or a cluster of three, with JetStream, on loopback. They end with this process, however it ends.
 * @throws LocalError `tool-missing`, `start-failed`
 */
export const startNats = async (options: NatsOptions): Promise<Nats> => {
  const program = await tool('nats-server');
  const places = await choosePlaces(options);
  for (const place of places) {
    await mkdir(place.dir, { recursive: true });
    await writeFile(join(place.dir, 'nats.conf'), configuration(place, places));
  }
  const servers = places.map((place) => new Server(program, place));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const ready = async (): Promise<void> => {
    await Promise.all(servers.filter((server) => server.running).map((server) => server.ready()));
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: servers.map((server) => server.url).join(','), servers, ready, stop };
};
