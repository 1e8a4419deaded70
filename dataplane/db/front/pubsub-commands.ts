import { noKeys } from '../commands/command.ts';
import { globMatch } from '../commands/glob.ts';
import { DbError } from '../db-error.ts';
import { maxKeyBytes } from '../limits.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Client, Server, Session, SessionCommand } from './session.ts';

const pubsub = { kind: 'session', keys: noKeys, group: 'pubsub', inTransaction: 'refuse' } as const;
const flags = ['noscript', 'loading', 'stale'] as const;

/** Most channels and patterns of one client. */
const maxSubscriptions = 10_000;

const count = ({ channels, patterns }: Session): number => channels.size + patterns.size;

/** Whether a client hears messages: in RESP2 it may then send little else. */
export const isListening = (session: Session): boolean =>
  session.protocol === 2 && (session.watching || count(session) > 0);

/** What a listening client may send in RESP2. */
export const allowedWhileListening = new Set([
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PSUBSCRIBE',
  'PUNSUBSCRIBE',
  'QUNWATCH',
  'PING',
  'QUIT',
  'RESET',
]);

const namesOf = (frame: Frame): string[] =>
  Array.from({ length: frame.count - 1 }, (_, i) => {
    if (frame.lengthOf(i + 1) > maxKeyBytes) {
      throw new DbError('ERR', `a channel of ${frame.lengthOf(i + 1)} bytes exceeds the limit of ${maxKeyBytes} bytes`);
    }
    return frame.key(i + 1);
  });

const confirm = (reply: ReplyWriter, kind: string, name: string | null, session: Session): void => {
  reply.push(3);
  reply.bulk(kind);
  if (name === null) reply.nil();
  else reply.bulk(Buffer.from(name, 'latin1'));
  reply.integer(count(session));
};

type Change = (server: Server, client: Client, name: string) => void;

const subscribing = (name: string, summary: string, change: Change): SessionCommand => ({
  ...pubsub,
  name,
  arity: -2,
  flags,
  summary,
  run(client, frame, reply, server) {
    const names = namesOf(frame);
    if (count(client.session) + names.length > maxSubscriptions) {
      throw new DbError('ERR', `a client has at most ${maxSubscriptions} subscriptions`);
    }
    for (const each of names) {
      change(server, client, each);
      confirm(reply, name.toLowerCase(), each, client.session);
    }
  },
});

const unsubscribing = (
  name: string,
  of: (session: Session) => ReadonlySet<string>,
  change: Change,
): SessionCommand => ({
  ...pubsub,
  name,
  arity: -1,
  flags,
  summary: 'Ends subscriptions: those that are named, or all.',
  run(client, frame, reply, server) {
    const names = frame.count > 1 ? namesOf(frame) : [...of(client.session)];
    if (names.length === 0) return confirm(reply, name.toLowerCase(), null, client.session);
    for (const each of names) {
      change(server, client, each);
      confirm(reply, name.toLowerCase(), each, client.session);
    }
  },
});

const publish: SessionCommand = {
  ...pubsub,
  name: 'PUBLISH',
  arity: 3,
  flags: ['loading', 'stale', 'fast'],
  summary: 'Sends a message to all who are subscribed now, through any gateway; returns how many are at this one.',
  run(_client, frame, reply, { subscriptions }) {
    if (frame.lengthOf(1) > maxKeyBytes)
      throw new DbError('ERR', `a channel exceeds the limit of ${maxKeyBytes} bytes`);
    reply.integer(subscriptions.publish(frame.key(1), frame.argument(2)));
  },
};

type Report = (frame: Frame, reply: ReplyWriter, server: Server) => void;

const reports: Readonly<Record<string, Report>> = {
  CHANNELS: (frame, reply, { subscriptions }) => {
    const pattern = frame.count > 2 ? frame.key(2) : '*';
    const found = subscriptions.channels.filter((channel) => globMatch(pattern, channel));
    reply.array(found.length);
    for (const channel of found) reply.bulk(Buffer.from(channel, 'latin1'));
  },
  NUMSUB: (frame, reply, { subscriptions }) => {
    reply.array(2 * (frame.count - 2));
    for (let i = 2; i < frame.count; i++) {
      reply.bulk(frame.argument(i));
      reply.integer(subscriptions.subscribers(frame.key(i)));
    }
  },
  NUMPAT: (_frame, reply, { subscriptions }) => reply.integer(subscriptions.patternCount),
};

const pubsubReport: SessionCommand = {
  ...pubsub,
  name: 'PUBSUB',
  arity: -2,
  flags: ['loading', 'stale'],
  summary: 'Tells about the subscriptions at this gateway.',
  run(_client, frame, reply, server) {
    const report = reports[frame.word(1)];
    if (!report) throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try PUBSUB HELP.`);
    report(frame, reply, server);
  },
};

export const pubsubCommands: readonly SessionCommand[] = [
  subscribing('SUBSCRIBE', 'Subscribes to channels.', ({ subscriptions }, client, name) =>
    subscriptions.subscribe(client, name),
  ),
  subscribing('PSUBSCRIBE', 'Subscribes to all channels that match patterns.', ({ subscriptions }, client, name) =>
    subscriptions.subscribePattern(client, name),
  ),
  unsubscribing(
    'UNSUBSCRIBE',
    ({ channels }) => channels,
    ({ subscriptions }, client, name) => subscriptions.unsubscribe(client, name),
  ),
  unsubscribing(
    'PUNSUBSCRIBE',
    ({ patterns }) => patterns,
    ({ subscriptions }, client, name) => subscriptions.unsubscribePattern(client, name),
  ),
  publish,
  pubsubReport,
];
