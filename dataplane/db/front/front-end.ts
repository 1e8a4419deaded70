import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Pod } from '../../fabric/pod.ts';
import { keyCommands, shardCommands, CommandTable } from '../commands/table.ts';
import type { Router } from '../gateway/router.ts';
import { encodeError } from '../resp/reply-writer.ts';
import { clientCommand } from './client-command.ts';
import { commandCommand } from './command-command.ts';
import { CommandStats } from './command-stats.ts';
import { configCommand } from './config-command.ts';
import { Connection } from './connection.ts';
import { handshakeCommands } from './handshake.ts';
import { infoCommand } from './info-command.ts';
import { latencyCommand } from './latency-command.ts';
import { readOnlyCommands } from './read-only.ts';
import { ScanCursors } from './scan-cursors.ts';
import { natsBus, type MessageBus } from './message-bus.ts';
import { pubsubCommands } from './pubsub-commands.ts';
import { rangeCommand } from './range-command.ts';
import { SlowLog } from './slow-log.ts';
import { slowlogCommand } from './slowlog-command.ts';
import { timeCommand } from './time-command.ts';
import { Subscriptions } from './subscriptions.ts';
import { scanCommand } from './scan-command.ts';
import type { Server, ServerCommand, Session } from './session.ts';
import { ratesOf, type ServerFacts } from './server-facts.ts';
import { transactionCommands } from './transactions.ts';
import { watchCommands } from './watch-commands.ts';
import { Watches } from './watches.ts';

/** Connections of one front end. An idle one costs about 10 KB. */
const maxClients = 20_000;
/** A client that reads nothing of what it asked for is cut off after this, milliseconds. */
const defaultStuckLimitMs = 60_000;
const rateMs = 1_000;
/** What the kernel may hold of connections that are not accepted yet. */
const backlog = 4096;

/** Everything that clients may send. */
export const serverCommands = (): CommandTable<ServerCommand> =>
  new CommandTable<ServerCommand>([
    ...handshakeCommands,
    clientCommand,
    commandCommand,
    configCommand,
    infoCommand,
    latencyCommand,
    scanCommand,
    rangeCommand,
    slowlogCommand,
    timeCommand,
    ...pubsubCommands,
    ...watchCommands,
    ...transactionCommands,
    ...readOnlyCommands,
    ...keyCommands,
    ...shardCommands,
  ]);

export interface FrontEndOptions {
  readonly port: number;
  /** When a client that does not read is cut off, milliseconds. */
  readonly stuckLimitMs?: number;
  /** Carries published messages; NATS when it is left out. */
  readonly bus?: MessageBus;
}

/** The RESP server: one module for gateways and members. */
export class FrontEnd {
  readonly server: Server;
  readonly #connections = new Set<Connection>();
  readonly #net: NetServer;
  readonly #facts: ServerFacts;
  readonly #stuckLimitMs: number;
  #nextId = 1;
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(pod: Pod, router: Router, options: FrontEndOptions) {
    this.#stuckLimitMs = options.stuckLimitMs ?? defaultStuckLimitMs;
    this.#facts = {
      pod: pod.env.QUARTET_POD,
      node: pod.env.QUARTET_NODE,
      incarnation: pod.incarnation,
      startedAt: Date.now(),
      port: options.port,
      maxClients,
      connectionsReceived: 0,
      connectionsRejected: 0,
      commandsProcessed: 0,
      bytesIn: 0,
      bytesOut: 0,
      rates: { commands: 0, bytesIn: 0, bytesOut: 0 },
    };
    this.server = {
      router,
      facts: this.#facts,
      cursors: new ScanCursors(),
      subscriptions: new Subscriptions(options.bus ?? natsBus(pod.nats, pod.env.QUARTET_NAMESPACE)),
      watches: new Watches(pod.nats, router),
      slowLog: new SlowLog(),
      stats: new CommandStats(),
      commands: serverCommands(),
      sessions: () => this.#sessions(),
    };
    this.#net = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  get commands(): number {
    return this.#facts.commandsProcessed;
  }

  /** Listens; resolves with the port. */
  listen(host: string): Promise<number> {
    this.#timers = [
      setInterval(() => this.#checkStuck(), this.#stuckLimitMs / 12).unref(),
      setInterval(ratesOf(this.#facts), rateMs).unref(),
    ];
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ host, port: this.#facts.port, backlog }, () => {
        const address = this.#net.address();
        if (typeof address === 'object' && address) this.#facts.port = address.port;
        resolve(this.#facts.port);
      });
    });
  }

  /** Takes no more connections and closes those that are there, once what they sent is answered. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const closed = new Promise((resolve) => this.#net.close(resolve));
    for (const connection of this.#connections) connection.closeAfterReplies();
    const timer = setTimeout(() => this.#destroyAll(), 2_000);
    await closed;
    clearTimeout(timer);
  }

  #destroyAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket): void {
    this.#facts.connectionsReceived++;
    if (this.#connections.size >= maxClients) {
      this.#facts.connectionsRejected++;
      socket.on('error', () => {});
      socket.end(encodeError('ERR max number of clients reached'));
      return;
    }
    const connection = new Connection(this.#nextId++, socket, this.server);
    this.#connections.add(connection);
    socket.on('close', () => {
      this.#connections.delete(connection);
      this.server.subscriptions.forget(connection);
      this.server.watches.forget(connection);
    });
  }

  *#sessions(): Iterable<Session> {
    for (const { session } of this.#connections) yield session;
  }

  #checkStuck(): void {
    const now = Date.now();
    for (const connection of this.#connections) connection.checkStuck(now, this.#stuckLimitMs);
  }
}
