import type { Socket } from 'node:net';
import { Fifo } from '../../fabric/fifo.ts';
import { RequestParser } from '../resp/request-parser.ts';
import { encodeError, ReplyWriter } from '../resp/reply-writer.ts';
import type { Waiter } from '../gateway/request.ts';
import type { CommandFigures } from './command-stats.ts';
import { dispatch } from './dispatch.ts';
import { newSession, type Client, type Server, type Session } from './session.ts';

/** Commands of one connection that may be unanswered; beyond that its socket is not read. */
const maxPlaces = 1024;
/** The same before the size of its replies is known, and when they are large. */
const [firstPlaces, minPlaces] = [32, 4];
/** Replies of one connection that may be on their way, bytes, as far as their size can be foreseen. */
const maxExpectedBytes = 4 * 1024 * 1024;
/** How fast a large reply is forgotten when small ones follow. */
const decay = 0.98;
/** Reply bytes that may wait in a socket before it is not read any more. */
const pauseAtBytes = 1024 * 1024;
/** Reply bytes at which a client that does not read is cut off. */
const cutOffBytes = 64 * 1024 * 1024;

/** A command that was read. */
interface Call {
  readonly figures: CommandFigures | null;
  /** Monotonic, milliseconds. */
  readonly startedAt: number;
}

const noCall: Call = { figures: null, startedAt: 0 };

/** The place of one reply among the replies of a connection. */
class Place implements Waiter {
  reply: Buffer | null = null;
  readonly #connection: Connection;
  readonly #call: Call;
  readonly #command: Buffer | null;

  constructor(connection: Connection, call: Call, command: Buffer | null) {
    this.#connection = connection;
    this.#call = call;
    this.#command = command;
  }

  answer(reply: Buffer): void {
    this.reply = reply;
    const { figures, startedAt } = this.#call;
    const { stats, slowLog } = this.#connection.server;
    const ms = figures === null ? 0 : performance.now() - startedAt;
    stats.answered(figures, reply, ms * 1000);
    if (this.#command !== null) slowLog.note(this.#command, ms, this.#connection.session);
    this.#connection.expect(reply.length);
    this.#connection.advance();
  }
}

/** Connections with replies to send at the end of this turn. */
let dirty: Connection[] = [];

const flushDirty = (): void => {
  const connections = dirty;
  dirty = [];
  for (const connection of connections) connection.write();
};

/**
 * One client: bytes in, replies out, in the order of its commands. It is not read while too much of it is
 * unanswered or unread by the client, so its memory has a bound.
 */
export class Connection implements Client {
  readonly session: Session;
  readonly #socket: Socket;
  readonly server: Server;
  readonly #parser = new RequestParser();
  #call = noCall;
  /** Not answered, or after one that is not. */
  readonly #places = new Fifo<Place>();
  #out: Buffer[] = [];
  /** The output is not sent before its reply is there. */
  #held: Place | null = null;
  #dirty = false;
  /** Who waits for {@link drained}. */
  #waiting: (() => void)[] = [];
  /** Size of the largest reply of late, bytes. */
  #largeReply = 0;
  #window = firstPlaces;
  /** How many answers nothing is read before. */
  #blocks = 0;
  #full = false;
  #ended = false;
  #closing = false;
  #stuckSince = 0;

  constructor(id: number, socket: Socket, server: Server) {
    this.#socket = socket;
    this.server = server;
    this.session = newSession(
      id,
      `${socket.remoteAddress}:${socket.remotePort}`,
      `${socket.localAddress}:${socket.localPort}`,
    );
    this.session.unread = () => socket.writableLength;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('close', () => this.#wake());
    socket.on('end', () => this.#end());
    socket.on('error', () => socket.destroy());
  }

  begin(figures: CommandFigures | null): void {
    this.#call = figures === null ? noCall : { figures, startedAt: performance.now() };
  }

  place(): Waiter {
    const place = new Place(this, this.#call, this.#parser.frame.raw());
    this.#places.push(place);
    return place;
  }

  hold(): void {
    if (this.#places.length === 1) this.#held = this.#places.at(0) ?? null;
  }

  answer(reply: Buffer): void {
    const place = new Place(this, this.#call, null);
    this.#places.push(place);
    place.answer(reply);
  }

  block(): void {
    this.#blocks++;
  }

  unblock(): void {
    if (--this.#blocks === 0) this.#pump();
  }

  push(bytes: Buffer): void {
    this.#held = null;
    this.#out.push(bytes);
    this.#markDirty();
  }

  async drained(): Promise<void> {
    if (this.#dirty) this.write();
    if (this.#socket.destroyed || this.#socket.writableLength <= pauseAtBytes) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  closeAfterReplies(): void {
    this.#closing = true;
    this.#markDirty();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Learns from the size of a reply how many may be on their way together. */
  expect(bytes: number): void {
    this.#largeReply = Math.max(bytes, this.#largeReply * decay);
    this.#window = Math.min(maxPlaces, Math.max(minPlaces, Math.floor(maxExpectedBytes / this.#largeReply)));
  }

  /** Replies are there: moves those whose turn has come to the output. */
  advance(): void {
    if (!this.#places.at(0)?.reply) return;
    for (let reply = this.#places.at(0)?.reply; reply; reply = this.#places.at(0)?.reply) {
      this.#out.push(reply);
      this.#places.shift();
    }
    this.#markDirty();
    if (this.#full) this.#resume();
  }

  /** Sends what is in the output. */
  write(): void {
    this.#dirty = false;
    if (this.#held?.reply === null) return;
    this.#held = null;
    const [first] = this.#out;
    if (first !== undefined && !this.#socket.destroyed) {
      const bytes = this.#out.length === 1 ? first : Buffer.concat(this.#out);
      this.server.facts.bytesOut += bytes.length;
      this.#socket.write(bytes);
    }
    this.#out = [];
    if (this.#socket.writableLength > cutOffBytes) this.#socket.destroy();
    else if (this.#isDone()) this.#socket.destroySoon();
  }

  /** Cuts off a client that has not read anything for too long. Called now and then. */
  checkStuck(now: number, limitMs: number): void {
    if (this.#socket.writableLength === 0) this.#stuckSince = 0;
    else if (this.#stuckSince === 0) this.#stuckSince = now;
    else if (now - this.#stuckSince > limitMs) this.#socket.destroy();
  }

  #isDone(): boolean {
    return (this.#closing || this.#ended) && this.#places.length === 0 && (this.#closing || this.#blocks === 0);
  }

  #markDirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    if (dirty.length === 0) queueMicrotask(flushDirty);
    dirty.push(this);
  }

  #data(chunk: Buffer): void {
    if (this.#closing) return;
    this.server.facts.bytesIn += chunk.length;
    this.#parser.push(chunk);
    this.#pump();
  }

  #end(): void {
    this.#ended = true;
    this.#markDirty();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #resume(): void {
    this.#stuckSince = 0;
    this.#wake();
    if (!this.#full || this.#overfull()) return;
    this.#full = false;
    setImmediate(() => this.#pump());
  }

  #overfull(): boolean {
    return this.#places.length >= this.#window || this.#socket.writableLength > pauseAtBytes;
  }

  /** Carries out what is parsed, until bytes are missing or a bound is reached. */
  #pump(): void {
    while (this.#blocks === 0 && !this.#closing) {
      if (this.#overfull()) {
        this.#full = true;
        break;
      }
      if (!this.#step()) break;
    }
    this.advance();
    if (this.#full || this.#blocks > 0) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** One command; false: there is none yet, or no more. */
  #step(): boolean {
    const step = this.#parser.next();
    if (step === 'more') return false;
    if (step === 'command') dispatch(this, this.#parser.frame, shared, this.server);
    else {
      this.begin(null);
      this.answer(encodeError(this.#parser.reason));
    }
    if (step === 'broken') this.closeAfterReplies();
    return step !== 'broken';
  }
}

/** Replies that are known at once are written here, one at a time. */
const shared = new ReplyWriter(16 * 1024);
