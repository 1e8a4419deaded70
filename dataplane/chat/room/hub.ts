import type { Logger } from 'pino';
import { ChatError } from '../chat-error.ts';
import type { ChatLimits } from '../limits.ts';
import { channelOf } from '../protocol/channel.ts';
import { unsubscribes, type Disconnect } from '../protocol/disconnect.ts';
import type { MessageLog, RoomPosition } from '../store/message-log.ts';
import { Broadcast, type Listener } from './broadcast.ts';
import { RingBuffer } from './ring-buffer.ts';
import { Sequencer, type LiveMessage } from './sequencer.ts';
import type { StoredPublication } from './stored-publication.ts';

/** A connection's subscription to a room. */
export interface Subscriber extends Listener {
  readonly user: string;
  readonly client: string;
  /** The room ends the subscription; the subscriber is removed already. */
  ended(room: string, why: Disconnect): void;
}

/** Where a client says it stands. An empty epoch means any. */
export interface ClientPosition {
  readonly offset: number;
  readonly epoch: string;
}

/** What a client gets on subscribing. `recovered` is null when it did not ask to recover. */
export interface Subscribed {
  readonly epoch: string;
  /** The position before the recovered publications; each of them moves it on. */
  readonly offset: number;
  readonly publications: readonly StoredPublication[];
  readonly recovered: boolean | null;
}

export interface HubOptions {
  readonly room: string;
  readonly log: MessageLog;
  readonly limits: ChatLimits;
  readonly logger: Logger;
}

interface Missed {
  readonly publications: readonly StoredPublication[];
  /** The ring covers everything after this sequence. */
  readonly upTo: number;
}

/** Catching up with a moving end gives up after this many rounds. */
const maxRounds = 5;

/**
 * The live state of one room on this gateway: every stored message reaches every subscriber once and in stream order.
 * Lost live messages are read from the stream. When that cannot be done exactly, subscribers are told to subscribe
 * again: recovery then says what is lost.
 */
export class Hub {
  readonly room: string;
  readonly epoch: string;
  readonly broadcast: Broadcast;
  /** Joins and leaves, for those who asked for them. */
  readonly presence: Broadcast;
  readonly #options: HubOptions;
  readonly #sequencer: Sequencer;
  readonly #ring: RingBuffer;
  readonly #subscribers = new Set<Subscriber>();
  #closed = false;
  #repair: Promise<boolean> | undefined;

  constructor(options: HubOptions, position: RoomPosition) {
    this.#options = options;
    this.room = options.room;
    this.epoch = position.epoch;
    this.broadcast = new Broadcast(channelOf(options.room), options.limits.batchWindowMs);
    this.presence = new Broadcast(channelOf(options.room), options.limits.batchWindowMs);
    this.#sequencer = new Sequencer(position.top);
    this.#ring = new RingBuffer(position.top, {
      messages: options.limits.ringMessages,
      bytes: options.limits.ringBytes,
    });
  }

  get subscribers(): ReadonlySet<Subscriber> {
    return this.#subscribers;
  }

  /** Everything up to this sequence was given to the subscribers. */
  get top(): number {
    return this.#sequencer.top;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The last messages before a sequence, when memory holds enough of them. */
  recent(before: number, count: number): readonly StoredPublication[] | null {
    return this.#ring.last(before, count);
  }

  /** Takes a live message from the stream. */
  live(message: LiveMessage): void {
    if (this.#closed) return;
    const step = this.#sequencer.take(message);
    if (step.kind === 'deliver') this.#deliver([step.publication]);
    else if (step.kind === 'gap') void this.#startRepair();
    else this.#ring.advance(this.#sequencer.top);
  }

  /**
   * Reads what may have been missed. True when the hub has all that was stored when this was called; false when it is
   * closed or the store did not answer.
   */
  async resync(): Promise<boolean> {
    // a repair that runs already may have asked for the stream's end before
    await this.#repair;
    if (!this.#closed && this.#sequencer.startRepair()) return this.#startRepair();
    return (await this.#repair) ?? false;
  }

  /**
   * Adds a subscriber. `reply` is called with its result in the same turn in which it is added: what is published
   * later follows the reply, what came earlier is in it.
   * @throws ChatError `unavailable` when the store is needed and does not answer
   */
  async subscribe(
    subscriber: Subscriber,
    from: ClientPosition | null,
    reply: (result: Subscribed) => void,
  ): Promise<void> {
    const missed = from === null ? null : await this.#missedSince(from);
    if (this.#closed) throw new ChatError('unavailable', 'the room starts again');
    this.broadcast.flush();
    this.#subscribers.add(subscriber);
    this.broadcast.listeners.add(subscriber);
    const { epoch, top } = this;
    if (from === null) {
      reply({ epoch, offset: top, publications: [], recovered: null });
    } else if (missed === null) {
      reply({ epoch, offset: top, publications: [], recovered: false });
    } else {
      const tail = this.#ring.after(missed.upTo) ?? [];
      const publications = [...missed.publications, ...tail];
      reply({ epoch, offset: publications.length === 0 ? top : from.offset, publications, recovered: true });
    }
  }

  /** Removes a subscriber. */
  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    this.broadcast.listeners.delete(subscriber);
    this.presence.listeners.delete(subscriber);
  }

  /** Ends the subscriptions of one user. */
  remove(user: string): void {
    for (const subscriber of this.#subscribers) {
      if (subscriber.user !== user) continue;
      this.broadcast.flush();
      this.unsubscribe(subscriber);
      subscriber.ended(this.room, unsubscribes.byServer);
    }
  }

  /** Ends all subscriptions. */
  close(why: Disconnect): void {
    if (this.#closed) return;
    this.broadcast.flush();
    this.#closed = true;
    this.broadcast.close();
    this.presence.close();
    for (const subscriber of this.#subscribers) subscriber.ended(this.room, why);
    this.#subscribers.clear();
  }

  #deliver(publications: readonly StoredPublication[]): void {
    for (const publication of publications) {
      this.#ring.push(publication);
      this.broadcast.publish(publication.json);
    }
    this.#ring.advance(this.#sequencer.top);
  }

  #startRepair(): Promise<boolean> {
    this.#repair = this.#readMissed().finally(() => {
      this.#repair = undefined;
    });
    return this.#repair;
  }

  /** Whether the hub is level with the stream now. */
  async #readMissed(): Promise<boolean> {
    const { log, limits, logger } = this.#options;
    const bounds = { messages: limits.maxRecovered, bytes: limits.maxRecoveredBytes };
    try {
      for (let round = 0; this.#sequencer.repairing && !this.#closed && round < maxRounds; round++) {
        const after = this.#sequencer.top;
        const position = await log.position(this.room);
        const page = await log.read(this.room, { after, upTo: position.top }, bounds);
        const exact = position.epoch === this.epoch && page.complete && (await log.floor(this.room)) <= after;
        if (!exact) {
          logger.warn({ room: this.room, after }, 'lost the place in the stream; subscribers start again');
          this.close(unsubscribes.insufficientState);
          return false;
        }
        this.#deliver(this.#sequencer.repaired(page.publications, position.top));
      }
      return !this.#sequencer.repairing && !this.#closed;
    } catch (error) {
      logger.debug({ err: error, room: this.room }, 'cannot read missed messages now; a later audit tries again');
      return false;
    } finally {
      if (this.#sequencer.repairing) this.#sequencer.repairFailed();
    }
  }

  /** What a client missed; null when that cannot be said exactly. */
  async #missedSince(from: ClientPosition): Promise<Missed | null> {
    if (from.epoch !== '' && from.epoch !== this.epoch) return null;
    // a client that comes from another gateway may be ahead of this one
    if (from.offset > this.top && !(await this.resync())) throw new ChatError('unavailable', 'the room lags');
    if (from.offset > this.top) return null;
    for (let round = 0; round < maxRounds; round++) {
      if (this.#ring.after(from.offset) !== null) return { publications: [], upTo: from.offset };
      const read = await this.#readSince(from.offset);
      if (read === null) return null;
      // while it was read the room went on: the ring must still reach back to where the reading ended
      if (this.#ring.after(read.upTo) !== null) return read;
    }
    return null;
  }

  async #readSince(offset: number): Promise<Missed | null> {
    const { log, limits } = this.#options;
    const upTo = this.top;
    const bounds = { messages: limits.maxRecovered, bytes: limits.maxRecoveredBytes };
    const page = await log.read(this.room, { after: offset, upTo }, bounds);
    if (!page.complete || (await log.floor(this.room)) > offset) return null;
    return { publications: page.publications, upTo };
  }
}
