import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { Message } from '../message/message.ts';
import type { Members } from '../membership/members.ts';
import { encodeUser } from '../membership/user-key.ts';
import type { Presence } from './presence.ts';

/** A message that an offline member may be told about. */
export interface Notification {
  readonly room: string;
  readonly user: string;
  readonly from: string;
  readonly messageId: string;
  readonly offset: number;
  /** The beginning of the content. */
  readonly preview: string;
}

/** Where notifications for a user go; the user is base64url. Subscribe to `quartet.<namespace>.chatnotify.*`. */
export const notifySubject = (namespace: string, user: string): string =>
  `quartet.${namespace}.chatnotify.${encodeUser(user)}`;

/** Rooms with more members send no notifications. */
const maxMembers = 1_000;
const previewLength = 100;
/** Between two lookups of who is online (ms). */
const pauseMs = 200;

/**
 * Tells members of a room who are connected nowhere that a message came: a core NATS message each, for whoever sends
 * mail or push. At most once; of messages that come faster than members can be looked up, the newest counts.
 */
export class Notifier {
  readonly #nats: NatsConnection;
  readonly #namespace: string;
  readonly #members: Members;
  readonly #presence: Presence;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, { message: Message; offset: number }>();
  #running = false;

  constructor(options: {
    nats: NatsConnection;
    namespace: string;
    members: Members;
    presence: Presence;
    logger: Logger;
  }) {
    this.#nats = options.nats;
    this.#namespace = options.namespace;
    this.#members = options.members;
    this.#presence = options.presence;
    this.#logger = options.logger;
  }

  /** Notes a stored message. Never waits, never throws. */
  stored(room: string, message: Message, offset: number): void {
    if (this.#members.count(room) > maxMembers) return;
    this.#waiting.set(room, { message, offset });
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (const [room, { message, offset }] of this.#waiting) {
      this.#waiting.delete(room);
      try {
        await this.#notify(room, message, offset);
      } catch (error) {
        this.#logger.debug({ err: error, room }, 'offline members were not notified');
      }
      await sleep(pauseMs, undefined, { ref: false });
    }
    this.#running = false;
  }

  async #notify(room: string, message: Message, offset: number): Promise<void> {
    const members = this.#members.members(room).filter((user) => user !== message.user);
    const online = await this.#presence.online(members);
    for (const user of members) {
      if (online.has(user)) continue;
      const preview = message.content.slice(0, previewLength);
      const notification: Notification = { room, user, from: message.user, messageId: message.id, offset, preview };
      this.#nats.publish(notifySubject(this.#namespace, user), JSON.stringify(notification));
    }
  }
}
