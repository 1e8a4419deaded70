import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { chatLiveSubject, chatPartition } from '../../../contract/subjects.ts';
import { ChatError } from '../chat-error.ts';
import type { ChatLimits } from '../limits.ts';
import { channelOf } from '../protocol/channel.ts';
import { unsubscribes, type Disconnect } from '../protocol/disconnect.ts';
import { ephemeralLine, presenceLine } from '../protocol/reply.ts';
import type { MessageLog } from '../store/message-log.ts';
import { Hub } from './hub.ts';
import { readLive } from './live-message.ts';
import { parseRoomEvent, roomEventSubject, type RoomEvent } from './room-event.ts';
import type { LiveMessage } from './sequencer.ts';

export interface HubRegistryOptions {
  readonly namespace: string;
  readonly nats: NatsConnection;
  readonly log: MessageLog;
  readonly limits: ChatLimits;
  readonly logger: Logger;
}

interface Active {
  readonly hub: Promise<Hub>;
  opened: Hub | undefined;
  idleSince: number;
  stop(): void;
}

/** NATS has this long to take the subscription of a room (ms). */
const flushMs = 3_000;
/** Rooms that are brought level at the same time after NATS was away. */
const resyncAtOnce = 16;

/** The rooms that are live on this gateway: one core subscription each, made by the first subscriber. */
export class HubRegistry {
  readonly #options: HubRegistryOptions;
  readonly #active = new Map<string, Active>();

  constructor(options: HubRegistryOptions) {
    this.#options = options;
  }

  /** Live rooms. */
  get hubs(): readonly Hub[] {
    return [...this.#active.values()].flatMap(({ opened }) => (opened === undefined ? [] : [opened]));
  }

  /** The hub of a room if it is live. */
  find(room: string): Hub | undefined {
    return this.#active.get(room)?.opened;
  }

  /**
   * The hub of a room, made live when it is not.
   * @throws ChatError `unavailable`
   */
  async open(room: string): Promise<Hub> {
    const known = this.#active.get(room);
    if (known?.opened?.closed === false || (known !== undefined && known.opened === undefined)) return known.hub;
    known?.stop();
    const active = this.#activate(room);
    this.#active.set(room, active);
    try {
      active.opened = await active.hub;
      return active.opened;
    } catch (error) {
      this.#forget(room, active);
      throw error;
    }
  }

  /** Tells all gateways what happened in a room. */
  announce(room: string, event: RoomEvent): void {
    this.#options.nats.publish(roomEventSubject(this.#options.namespace, room), JSON.stringify(event));
  }

  /** Ends a room's live state and its subscriptions. */
  close(room: string, why: Disconnect): void {
    const active = this.#active.get(room);
    if (active === undefined) return;
    this.#forget(room, active);
    active.opened?.close(why);
  }

  /** Ends all rooms of a partition: its stream has another history. */
  closePartition(partition: number): void {
    for (const room of this.#active.keys()) {
      if (chatPartition(room) === partition) this.close(room, unsubscribes.insufficientState);
    }
  }

  /** Reads what live messages may have been lost, for all rooms: call it when NATS is back. */
  async resync(): Promise<void> {
    const waiting = [...this.hubs];
    const worker = async (): Promise<void> => {
      for (let hub = waiting.pop(); hub !== undefined; hub = waiting.pop()) await hub.resync();
    };
    await Promise.all(Array.from({ length: resyncAtOnce }, worker));
  }

  /** Gives up rooms that nobody has used for a while. */
  dropIdle(): void {
    const now = performance.now();
    for (const [room, active] of this.#active) {
      const hub = active.opened;
      if (hub === undefined) continue;
      if (hub.closed) this.#forget(room, active);
      else if (hub.subscribers.size > 0) active.idleSince = now;
      else if (now - active.idleSince > this.#options.limits.roomIdleMs) this.close(room, unsubscribes.byServer);
    }
  }

  #activate(room: string): Active {
    const { namespace, nats } = this.#options;
    const early: LiveMessage[] = [];
    let hub: Hub | undefined;
    const live = nats.subscribe(chatLiveSubject(namespace, room), {
      callback: (error, message) => {
        const read = error ? null : readLive(message);
        if (read === null) return;
        if (hub === undefined) early.push(read);
        else hub.live(read);
      },
    });
    const events = nats.subscribe(roomEventSubject(namespace, room), {
      callback: (error, message) => {
        const event = error ? null : parseRoomEvent(message.string());
        if (event !== null && hub !== undefined) broadcastEvent(hub, event);
      },
    });
    const opening = this.#openHub(room, (opened) => {
      hub = opened;
      for (const message of early) opened.live(message);
    });
    return { hub: opening, opened: undefined, idleSince: performance.now(), stop: () => stopAll(live, events) };
  }

  async #openHub(room: string, opened: (hub: Hub) => void): Promise<Hub> {
    const { nats, log, limits, logger } = this.#options;
    try {
      // the subscription is known to the server before the position is asked for: nothing falls between the two
      await Promise.race([
        nats.flush(),
        sleep(flushMs, undefined, { ref: false }).then(() => Promise.reject(new Error('no answer'))),
      ]);
    } catch (error) {
      throw new ChatError('unavailable', 'NATS is away', { cause: error });
    }
    const hub = new Hub({ room, log, limits, logger }, await log.position(room));
    opened(hub);
    return hub;
  }

  #forget(room: string, active: Active): void {
    active.stop();
    if (this.#active.get(room) === active) this.#active.delete(room);
  }
}

const stopAll = (...subscriptions: readonly Subscription[]): void => {
  for (const subscription of subscriptions) subscription.unsubscribe();
};

const broadcastEvent = (hub: Hub, { event, info }: RoomEvent): void => {
  const channel = channelOf(hub.room);
  if (event === 'typing') hub.broadcast.send(ephemeralLine(channel, { event: 'typing', user: info.user }, info));
  else hub.presence.send(presenceLine(channel, event, info));
};
