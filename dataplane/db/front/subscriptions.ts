import { globMatch } from '../commands/glob.ts';
import { encodeReply, type Protocol } from '../resp/reply-writer.ts';
import type { MessageBus } from './message-bus.ts';
import type { Client } from './session.ts';

/** What clients of one front end are subscribed to. A channel is listened to while one of them wants it. */
interface Topic {
  readonly clients: Set<Client>;
  readonly stop: () => void;
}

/** A message in both versions of the protocol, each written once for all who get it. */
const encoded = (parts: readonly (string | Buffer)[]): ((protocol: Protocol) => Buffer) => {
  const known = new Map<Protocol, Buffer>();
  return (protocol) => {
    const bytes =
      known.get(protocol) ??
      encodeReply(protocol, (writer) => {
        writer.push(parts.length);
        for (const part of parts) writer.bulk(part);
      });
    known.set(protocol, bytes);
    return bytes;
  };
};

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Subscriptions to channels and patterns, and the delivery of what is published to them. */
export class Subscriptions {
  readonly #bus: MessageBus;
  readonly #channels = new Map<string, Topic>();
  readonly #patterns = new Map<string, Set<Client>>();
  #stopAll: (() => void) | null = null;

  constructor(bus: MessageBus) {
    this.#bus = bus;
  }

  /** Channels with subscribers here. */
  get channels(): string[] {
    return [...this.#channels.keys()];
  }

  get patternCount(): number {
    return this.#patterns.size;
  }

  subscribers(channel: string): number {
    return this.#channels.get(channel)?.clients.size ?? 0;
  }

  /** Publishes to all front ends. Answers how many clients of this one get it. */
  publish(channel: string, message: Buffer): number {
    this.#bus.publish(channel, message);
    let receivers = this.subscribers(channel);
    for (const [pattern, clients] of this.#patterns) if (globMatch(pattern, channel)) receivers += clients.size;
    return receivers;
  }

  subscribe(client: Client, channel: string): void {
    client.session.channels.add(channel);
    const known = this.#channels.get(channel);
    if (known) known.clients.add(client);
    else {
      const stop = this.#bus.listen(channel, (name, message) => this.#deliver(name, message));
      this.#channels.set(channel, { clients: new Set([client]), stop });
    }
  }

  unsubscribe(client: Client, channel: string): void {
    client.session.channels.delete(channel);
    const topic = this.#channels.get(channel);
    topic?.clients.delete(client);
    if (topic?.clients.size !== 0) return;
    topic.stop();
    this.#channels.delete(channel);
  }

  subscribePattern(client: Client, pattern: string): void {
    client.session.patterns.add(pattern);
    const clients = this.#patterns.get(pattern) ?? new Set();
    this.#patterns.set(pattern, clients.add(client));
    this.#stopAll ??= this.#bus.listen(null, (channel, message) => this.#deliverToPatterns(channel, message));
  }

  unsubscribePattern(client: Client, pattern: string): void {
    client.session.patterns.delete(pattern);
    const clients = this.#patterns.get(pattern);
    clients?.delete(client);
    if (clients?.size === 0) this.#patterns.delete(pattern);
    if (this.#patterns.size > 0) return;
    this.#stopAll?.();
    this.#stopAll = null;
  }

  /** Ends all subscriptions of a client that is gone or starts anew. */
  forget(client: Client): void {
    for (const channel of client.session.channels) this.unsubscribe(client, channel);
    for (const pattern of client.session.patterns) this.unsubscribePattern(client, pattern);
  }

  #deliver(channel: string, message: Buffer): void {
    const bytes = encoded(['message', bytesOf(channel), message]);
    for (const client of this.#channels.get(channel)?.clients ?? []) client.push(bytes(client.session.protocol));
  }

  #deliverToPatterns(channel: string, message: Buffer): void {
    for (const [pattern, clients] of this.#patterns) {
      if (!globMatch(pattern, channel)) continue;
      const bytes = encoded(['pmessage', bytesOf(pattern), bytesOf(channel), message]);
      for (const client of clients) client.push(bytes(client.session.protocol));
    }
  }
}
