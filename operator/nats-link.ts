import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { RequestError } from '@nats-io/nats-core';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { inboxPrefix } from '../contract/permissions.ts';
import { serverProblem } from './nats-fitness.ts';
import { NatsMonitors } from './nats-monitors.ts';
import type { ServersView } from './nats-servers.ts';
import { OperatorError } from './operator-error.ts';
import type { Settings } from './settings.ts';

/**
 * - away: not connected; nothing is decided
 * - unfit: connected, but the server lacks what Quartet needs; `problem` says what to do
 * - ok
 */
export type NatsState =
  | { readonly state: 'away'; readonly problem: string }
  | { readonly state: 'unfit'; readonly problem: string }
  | { readonly state: 'ok' };

/** NATS may be away for this long before resources say so, ms: a reconnect is no news. */
export const natsGraceMs = 3000;

/** A question whether somebody listens is answered within this time, or not at all. */
const questionMs = 1000;

/** The operator's connection to NATS: made in the background, kept for ever. Readers ask for its state; nothing throws. */
export class NatsLink {
  readonly #log: Logger;
  readonly #access: Settings['nats'];
  readonly #monitors: NatsMonitors;
  readonly #listeners = new Set<(state: NatsState) => void>();
  readonly #serverListeners = new Set<() => void>();
  #connection: NatsConnection | null = null;
  #manager: JetStreamManager | null = null;
  #state: NatsState = { state: 'away', problem: 'not connected to NATS yet' };
  #closed = false;

  constructor(access: Settings['nats'], log: Logger) {
    this.#access = access;
    this.#log = log;
    this.#monitors = new NatsMonitors(access.monitors ?? [], log, () => {
      for (const listener of this.#serverListeners) listener();
    });
  }

  get state(): NatsState {
    return this.#state;
  }

  /** What the monitors of all servers said when they were asked last. */
  get servers(): ServersView {
    return this.#monitors.view;
  }

  /** The connection, once there was one; it outlives interruptions. */
  get connection(): NatsConnection | null {
    return this.#connection;
  }

  /** Called on each change of state, and once at once. */
  onState(listener: (state: NatsState) => void): void {
    this.#listeners.add(listener);
    listener(this.#state);
  }

  /** Called when monitors say something else than before. */
  onServers(listener: () => void): void {
    this.#serverListeners.add(listener);
  }

  /** JetStream's management API. Throws OperatorError messaging-away. */
  manager(): JetStreamManager {
    if (this.#manager === null || this.#state.state === 'away') {
      throw new OperatorError('messaging-away', 'NATS cannot be reached now');
    }
    return this.#manager;
  }

  /** One request and its answer, parsed as JSON by the caller. Throws OperatorError. */
  async request(subject: string, payload: unknown, deadlineMs: number): Promise<string> {
    if (this.#connection === null || this.#state.state === 'away') {
      throw new OperatorError('messaging-away', 'NATS cannot be reached now');
    }
    try {
      const reply = await this.#connection.request(subject, JSON.stringify(payload), { timeout: deadlineMs });
      return reply.string();
    } catch (cause) {
      throw new OperatorError('messaging-refused', `no answer on ${subject}`, cause);
    }
  }

  /** Whether nobody at all listens on a subject, as far as NATS can say at once. */
  async isDeserted(subject: string): Promise<boolean> {
    if (this.#connection === null || this.#state.state === 'away') return false;
    try {
      await this.#connection.request(subject, '', { timeout: questionMs });
      return false;
    } catch (error) {
      return error instanceof RequestError && error.isNoResponders();
    }
  }

  /** Connects; resolves when connected the first time. Call without waiting for it. */
  async start(): Promise<void> {
    const { url, passwords, ca } = this.#access;
    void this.#monitors.check();
    const connection = await connect({
      servers: url.split(','),
      name: 'quartet-operator',
      ...(passwords && { user: 'operator', pass: passwords.operator, inboxPrefix: inboxPrefix('operator') }),
      ...(ca !== undefined && { tls: { ca } }),
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 200,
      pingInterval: 2_000,
      maxPingOut: 2,
      timeout: 5_000,
      ignoreAuthErrorAbort: true,
    });
    if (this.#closed) return connection.close();
    this.#connection = connection;
    this.#manager = await jetstreamManager(connection, { checkAPI: false, timeout: 5_000 });
    this.#judge();
    void this.#follow(connection);
  }

  async stop(): Promise<void> {
    this.#closed = true;
    this.#monitors.stop();
    await this.#connection?.close();
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#set({ state: 'away', problem: 'NATS cannot be reached; nothing is decided until it is back' });
      } else if (status.type === 'reconnect') {
        this.#judge();
        // servers that were restarted may have another configuration
        void this.#monitors.check();
      } else if (status.type === 'error') {
        this.#log.warn({ err: status.error }, 'NATS reported an error');
      }
    }
  }

  #judge(): void {
    const problem = this.#connection?.info ? serverProblem(this.#connection.info) : null;
    this.#set(problem === null ? { state: 'ok' } : { state: 'unfit', problem });
  }

  #set(state: NatsState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#log.info(state, 'NATS');
    for (const listener of this.#listeners) listener(state);
  }
}
