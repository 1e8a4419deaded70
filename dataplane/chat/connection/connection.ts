import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { channelOf } from '../protocol/channel.ts';
import type { Command } from '../protocol/command.ts';
import { disconnects, type Disconnect } from '../protocol/disconnect.ts';
import { parseFrame } from '../protocol/frame.ts';
import { errorLine, pingLine, replyLine, unsubscribeLine, type ClientInfo } from '../protocol/reply.ts';
import { replyErrors, withDetail } from '../protocol/reply-error.ts';
import type { Hub, Subscriber } from '../room/hub.ts';
import type { Services } from '../services.ts';
import { runCommand } from './commands/run-command.ts';
import { replyErrorOf, type Outcome } from './outcome.ts';
import type { Outbox } from './outbox.ts';
import { RateLimit } from './rate-limit.ts';
import type { Alarm, TimingWheel } from './timing-wheel.ts';
import type { Identity } from './token.ts';

/** The WebSocket below a connection, as far as it is needed. */
export interface Transport {
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Ends the socket at once. */
  terminate(): void;
}

/** A closing handshake that takes longer is cut off (s). */
const closeSeconds = 2;
/** A token may be renewed this long after its end before the connection is closed (s). */
const expiryGraceSeconds = 25;
/** Commands that may be refused for their rate at once before the connection is closed. */
const maxRefusals = 1_000;

/**
 * One client: takes its frames, runs its commands one after the other, sends replies and publications in order, and
 * ends when it is silent, slow or in breach of the protocol.
 */
export class Connection implements Subscriber {
  readonly client = randomUUID();
  readonly services: Services;
  readonly outbox: Outbox;
  /** Live subscriptions by room. */
  readonly subscriptions = new Map<string, Hub>();
  readonly #transport: Transport;
  readonly #wheel: TimingWheel;
  readonly #onClosed: (connection: Connection) => void;
  readonly #rate: RateLimit;
  /** For commands that are refused: who goes on sending them is closed. */
  readonly #patience: RateLimit;
  readonly #queue: Command[] = [];
  #identity: Identity | null = null;
  #running = false;
  #closed = false;
  #awaitsPong = false;
  /** A connect command was taken; others may follow it in the same frame. */
  #greeted = false;
  #ping: Alarm | undefined;
  #expiry: Alarm | undefined;

  constructor(options: {
    services: Services;
    outbox: Outbox;
    transport: Transport;
    wheel: TimingWheel;
    onClosed: (connection: Connection) => void;
  }) {
    const { limits } = options.services;
    this.services = options.services;
    this.outbox = options.outbox;
    this.#transport = options.transport;
    this.#wheel = options.wheel;
    this.#onClosed = options.onClosed;
    this.#rate = new RateLimit(limits.commandsPerSecond, limits.commandBurst, performance.now());
    this.#patience = new RateLimit(limits.commandsPerSecond, maxRefusals, performance.now());
    this.#ping = this.#wheel.set(limits.connectSeconds, () => this.disconnect(disconnects.stale));
  }

  get user(): string {
    return this.#identity?.user ?? '';
  }

  get identity(): Identity | null {
    return this.#identity;
  }

  get info(): ClientInfo {
    return { user: this.user, client: this.client };
  }

  get closed(): boolean {
    return this.#closed;
  }

  sendFrame(frame: Buffer): void {
    this.outbox.sendFrame(frame);
  }

  /** Sends a line of the protocol. */
  send(line: string): void {
    this.outbox.sendLine(line);
  }

  /** Takes a text frame of the client. Never throws. */
  receive(text: string): void {
    if (this.#closed) return;
    const frame = parseFrame(text, this.services.limits.maxCommandsPerFrame);
    if (!frame.ok) return this.#refuseFrame(frame.detail);
    for (const line of frame.lines) {
      if (this.#closed) return;
      if (line.kind === 'pong') this.#pong();
      else if (line.kind === 'invalid') this.#refuse(line.id, withDetail(replyErrors.badRequest, line.detail));
      else if (line.kind === 'command') this.#take(line.command);
    }
  }

  /** The client is who it says: from now on it is pinged. */
  identified(identity: Identity): void {
    this.#identity = identity;
    const { sessions, users } = this.services;
    sessions.add({ ...this.info, connectedAt: Date.now() });
    users.note(identity.user, {
      ...(identity.username === undefined ? {} : { username: identity.username }),
      ...(identity.email === undefined ? {} : { email: identity.email }),
      lastSeen: Date.now(),
    });
    this.#ping?.cancel();
    // spread, so that a crowd that came at once is not pinged at once
    const first = Math.ceil(this.services.limits.pingSeconds * (0.2 + Math.random() * 0.8));
    this.#ping = this.#wheel.set(first, () => this.#sendPing());
    this.renewed(identity.expiresAt);
  }

  /** Sets when the token ends (Unix seconds), null for never. */
  renewed(expiresAt: number | null): void {
    this.#expiry?.cancel();
    if (expiresAt === null) return;
    const seconds = expiresAt - Date.now() / 1000 + expiryGraceSeconds;
    this.#expiry = this.#wheel.set(seconds, () => this.disconnect(disconnects.expired));
  }

  /** The room ended the subscription. */
  ended(room: string, why: Disconnect): void {
    if (!this.subscriptions.delete(room)) return;
    this.services.sessions.exit(room, this.client);
    this.send(unsubscribeLine(channelOf(room), why));
    this.services.hubs.announce(room, { event: 'leave', info: this.info });
  }

  /** Ends the connection: the client learns why and whether to come back. */
  disconnect(why: Disconnect): void {
    if (this.#closed) return;
    this.services.metrics.disconnects.inc({ code: why.code });
    this.#transport.close(why.code, why.reason);
    this.#wheel.set(closeSeconds, () => this.#transport.terminate());
    this.release();
  }

  /** Gives up everything that the connection holds; the socket is closed or closing. */
  release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.outbox.close();
    this.#ping?.cancel();
    this.#expiry?.cancel();
    this.#queue.length = 0;
    const { sessions, users, hubs } = this.services;
    for (const [room, hub] of this.subscriptions) {
      hub.unsubscribe(this);
      sessions.exit(room, this.client);
      hubs.announce(room, { event: 'leave', info: this.info });
    }
    this.subscriptions.clear();
    if (sessions.remove(this.info)) users.note(this.user, { lastSeen: Date.now() });
    this.#onClosed(this);
  }

  #refuseFrame(detail: string): void {
    this.services.logger.debug({ client: this.client, detail }, 'a malformed frame');
    this.disconnect(disconnects.badRequest);
  }

  #refuse(id: number, error: Parameters<typeof errorLine>[1]): void {
    if (this.#identity === null) return this.disconnect(disconnects.badRequest);
    this.services.metrics.commands.inc({ method: 'invalid', outcome: error.code });
    if (this.#allow()) this.send(errorLine(id, error));
  }

  #take(command: Command): void {
    const first = command.method === 'connect';
    if (first === this.#greeted) return this.disconnect(disconnects.badRequest);
    this.#greeted = true;
    if (!this.#allow()) {
      if (!this.#closed) this.send(errorLine(command.id, replyErrors.tooManyRequests));
      return;
    }
    if (this.#queue.length >= this.services.limits.maxQueuedCommands) {
      return this.disconnect(disconnects.tooManyRequests);
    }
    this.#queue.push(command);
    if (!this.#running) void this.#run();
  }

  /** Counts one command; false when there are too many, and far too many end the connection. */
  #allow(): boolean {
    const now = performance.now();
    if (this.#rate.take(now)) return true;
    if (!this.#patience.take(now)) this.disconnect(disconnects.tooManyRequests);
    return false;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let command = this.#queue.shift(); command !== undefined; command = this.#queue.shift()) {
      this.#finish(command, await this.#outcomeOf(command));
    }
    this.#running = false;
  }

  async #outcomeOf(command: Command): Promise<Outcome> {
    if (this.#identity === null && command.method !== 'connect') {
      return { kind: 'error', error: replyErrors.unauthorized };
    }
    try {
      return await runCommand(this, command);
    } catch (error) {
      const reply = replyErrorOf(error);
      if (reply === replyErrors.internal) this.services.logger.error({ err: error }, 'a command failed');
      return { kind: 'error', error: reply };
    }
  }

  #finish({ id, method }: Command, outcome: Outcome): void {
    if (this.#closed) return;
    const label =
      outcome.kind === 'error' ? String(outcome.error.code) : outcome.kind === 'disconnect' ? 'closed' : 'ok';
    this.services.metrics.commands.inc({ method, outcome: label });
    if (this.#identity === null) this.#greeted = false;
    if (outcome.kind === 'result') this.send(replyLine(id, method, outcome.result));
    else if (outcome.kind === 'error') this.send(errorLine(id, outcome.error));
    else if (outcome.kind === 'disconnect') this.disconnect(outcome.why);
  }

  #sendPing(): void {
    const { pongSeconds, pingSeconds } = this.services.limits;
    this.#awaitsPong = true;
    this.send(pingLine);
    this.#ping = this.#wheel.set(pongSeconds, () => {
      if (this.#awaitsPong) return this.disconnect(disconnects.noPong);
      this.#ping = this.#wheel.set(pingSeconds - pongSeconds, () => this.#sendPing());
    });
  }

  #pong(): void {
    if (this.#awaitsPong) this.#awaitsPong = false;
    else this.#allow();
  }
}
