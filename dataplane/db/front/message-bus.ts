import type { NatsConnection } from '@nats-io/transport-node';
import { channelSubject } from '../../../contract/subjects.ts';

/** Takes messages of a channel. Names and messages are strings of one character a byte. */
export type OnMessage = (channel: string, message: Buffer) => void;

/** Carries published messages to all front ends of a namespace: at most once, as Redis does. */
export interface MessageBus {
  publish(channel: string, message: Buffer): void;
  /** Messages of one channel, or of all when it is null. Answers the function that ends it. */
  listen(channel: string | null, onMessage: OnMessage): () => void;
}

/** Over NATS core; the name of a channel travels in base64url. */
export const natsBus = (nats: NatsConnection, namespace: string): MessageBus => {
  const prefix = channelSubject(namespace, '');
  // A token may not be empty, so each begins with a letter.
  const subjectOf = (channel: string): string =>
    channelSubject(namespace, `c${Buffer.from(channel, 'latin1').toString('base64url')}`);
  const channelOf = (subject: string): string =>
    Buffer.from(subject.slice(prefix.length + 1), 'base64url').toString('latin1');
  return {
    publish: (channel, message) => nats.publish(subjectOf(channel), message),
    listen(channel, onMessage) {
      const subscription = nats.subscribe(channel === null ? channelSubject(namespace, '*') : subjectOf(channel), {
        callback: (error, { subject, data }) => {
          if (error === null) onMessage(channelOf(subject), Buffer.from(data.buffer, data.byteOffset, data.length));
        },
      });
      return () => subscription.unsubscribe();
    },
  };
};

/** Within one process. */
export const localBus = (): MessageBus => {
  const listeners = new Set<{ readonly channel: string | null; readonly onMessage: OnMessage }>();
  return {
    publish(channel, message) {
      const own = Buffer.from(message);
      setImmediate(() => {
        for (const each of listeners) if ((each.channel ?? channel) === channel) each.onMessage(channel, own);
      });
    },
    listen(channel, onMessage) {
      const listener = { channel, onMessage };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
