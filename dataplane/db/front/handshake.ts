import { noKeys } from '../commands/command.ts';
import { echo, ping } from '../commands/ping.ts';
import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { Protocol, ReplyWriter } from '../resp/reply-writer.ts';
import { isListening } from './pubsub-commands.ts';
import { nothing } from './nothing.ts';
import { followedRedisVersion } from './server-facts.ts';
import { resetSession, type Client, type Server, type Session, type SessionCommand } from './session.ts';

const free = { kind: 'session', keys: noKeys, group: 'connection', inTransaction: 'refuse' } as const;

const pingCommand: SessionCommand = {
  ...ping,
  ...free,
  inTransaction: 'queue',
  run({ session }, frame, reply) {
    if (!isListening(session)) return ping.evaluate(nothing, frame, reply);
    reply.array(2);
    reply.bulk('pong');
    reply.bulk(frame.argument(1));
  },
};

const echoCommand: SessionCommand = {
  ...echo,
  ...free,
  inTransaction: 'queue',
  run: (_client, frame, reply) => echo.evaluate(nothing, frame, reply),
};

/**
 * Chooses the database that a user name stands for: `default` is the namespace's default database, any other name is
 * a database. There are no passwords yet.
 * @throws DbError WRONGPASS when there is no such database
 */
const authenticate = (session: Session, user: string, server: Server): void => {
  if (user !== 'default' && !server.router.databases.includes(user)) {
    throw new DbError(
      'WRONGPASS',
      'invalid username-password pair or user is disabled: the user name has to be that of a database',
    );
  }
  session.database = user === 'default' ? null : user;
  session.watched.clear();
};

const auth: SessionCommand = {
  ...free,
  name: 'AUTH',
  arity: -2,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  summary: 'Chooses a database: its name is the user name. No password is configured.',
  run({ session }, frame, reply, server) {
    if (frame.count === 2) {
      throw new DbError(
        'ERR',
        'AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      );
    }
    if (frame.count !== 3) throw new DbError('ERR', 'syntax error');
    authenticate(session, frame.text(1), server);
    reply.ok();
  },
};

interface HelloOptions {
  readonly protocol: Protocol | null;
  readonly user: string | null;
  readonly name: string | null;
}

const versions: Readonly<Record<string, Protocol>> = { 2: 2, 3: 3 };

const parseVersion = (text: string): Protocol => {
  const protocol = versions[text];
  if (!protocol) throw new DbError('NOPROTO', 'unsupported protocol version');
  return protocol;
};

/** @throws DbError NOPROTO, or when an option is not known or incomplete */
const parseHello = (frame: Frame): HelloOptions => {
  let options: HelloOptions = {
    protocol: frame.count > 1 ? parseVersion(frame.text(1)) : null,
    user: null,
    name: null,
  };
  for (let i = 2; i < frame.count;) {
    const word = frame.word(i);
    const left = frame.count - i;
    if (word === 'AUTH' && left > 2) options = { ...options, user: frame.text(i + 1) };
    else if (word === 'SETNAME' && left > 1) options = { ...options, name: clientName(frame.text(i + 1)) };
    else throw new DbError('ERR', `Syntax error in HELLO option '${frame.text(i).slice(0, 64)}'`);
    i += word === 'AUTH' ? 3 : 2;
  }
  return options;
};

/** A connection's name. @throws DbError when it has blanks or line breaks */
export const clientName = (name: string): string => {
  if (/^[!-~]{0,512}$/.test(name)) return name;
  throw new DbError('ERR', 'Client names cannot contain spaces, newlines or special characters.');
};

const writeHello = (client: Client, reply: ReplyWriter): void => {
  const pairs: [string, string | number][] = [
    ['server', 'redis'],
    ['version', followedRedisVersion],
    ['proto', client.session.protocol],
    ['id', client.session.id],
    ['mode', 'standalone'],
    ['role', 'master'],
  ];
  reply.map(pairs.length + 1);
  for (const [name, value] of pairs) {
    reply.bulk(name);
    if (typeof value === 'number') reply.integer(value);
    else reply.bulk(value);
  }
  reply.bulk('modules');
  reply.array(0);
};

const hello: SessionCommand = {
  ...free,
  name: 'HELLO',
  arity: -1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  summary: 'Chooses the version of the protocol, and a database as AUTH does.',
  run(client, frame, reply, server) {
    const { session } = client;
    const options = parseHello(frame);
    if (options.user !== null) authenticate(session, options.user, server);
    if (options.name !== null) session.name = options.name;
    session.protocol = options.protocol ?? session.protocol;
    reply.protocol = session.protocol;
    writeHello(client, reply);
  },
};

const select: SessionCommand = {
  ...free,
  name: 'SELECT',
  arity: 2,
  flags: ['loading', 'stale', 'fast'],
  summary: 'Takes 0 only: other databases are chosen by name, with AUTH.',
  run(_client, frame, reply) {
    if (!/^\d{1,9}$/.test(frame.key(1))) throw new DbError('ERR', 'invalid DB index');
    if (Number(frame.key(1)) !== 0) throw new DbError('ERR', 'DB index is out of range');
    reply.ok();
  },
};

const quit: SessionCommand = {
  ...free,
  name: 'QUIT',
  arity: -1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  summary: 'Closes the connection.',
  inTransaction: 'run',
  run(client, _frame, reply) {
    reply.ok();
    client.closeAfterReplies();
  },
};

const reset: SessionCommand = {
  ...free,
  name: 'RESET',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  summary: 'Puts the connection back into the state that it had when it was new.',
  inTransaction: 'run',
  run(client, _frame, reply, { subscriptions, watches }) {
    subscriptions.forget(client);
    watches.forget(client);
    resetSession(client.session);
    reply.simple('RESET');
  },
};

export const handshakeCommands: readonly SessionCommand[] = [
  pingCommand,
  echoCommand,
  auth,
  hello,
  select,
  quit,
  reset,
];
