import { noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { clientName } from './handshake.ts';
import type { Client, Server, Session, SessionCommand } from './session.ts';

/** A client as CLIENT LIST shows it. */
const line = (session: Session): string => {
  const age = Math.floor((Date.now() - session.since) / 1000);
  const queued = session.transaction ? session.transaction.commands.length : -1;
  return [
    `id=${session.id} addr=${session.address} laddr=${session.localAddress} name=${session.name} age=${age}`,
    `db=0 multi=${queued} watch=${session.watched.size} omem=${session.unread()} cmd=${session.lastCommand.toLowerCase()}`,
    `user=${session.database ?? 'default'} resp=${session.protocol} lib-name=${session.library} lib-ver=${session.libraryVersion}`,
  ].join(' ');
};

const setInfo = (session: Session, attribute: string, value: string): void => {
  if (attribute === 'LIB-NAME') session.library = clientName(value);
  else if (attribute === 'LIB-VER') session.libraryVersion = clientName(value);
  else throw new DbError('ERR', `Unrecognized option '${attribute.slice(0, 64)}'`);
};

interface Call {
  readonly client: Client;
  readonly frame: Frame;
  readonly reply: ReplyWriter;
  readonly server: Server;
}

interface Subcommand {
  /** Number of arguments with CLIENT and its own name; negative: at least so many. */
  readonly arity: number;
  run(call: Call): void;
}

const onOrOff = ({ frame, reply }: Call): void => {
  if (!['ON', 'OFF'].includes(frame.word(2))) throw new DbError('ERR', 'syntax error');
  reply.ok();
};

const subcommands: Readonly<Record<string, Subcommand>> = {
  ID: { arity: 2, run: ({ client, reply }) => reply.integer(client.session.id) },
  GETNAME: {
    arity: 2,
    run: ({ client, reply }) => (client.session.name === '' ? reply.nil() : reply.bulk(client.session.name)),
  },
  SETNAME: {
    arity: 3,
    run: ({ client, frame, reply }) => {
      client.session.name = clientName(frame.text(2));
      reply.ok();
    },
  },
  SETINFO: {
    arity: 4,
    run: ({ client, frame, reply }) => {
      setInfo(client.session, frame.word(2), frame.text(3));
      reply.ok();
    },
  },
  INFO: { arity: 2, run: ({ client, reply }) => reply.bulk(`${line(client.session)}\n`) },
  LIST: {
    arity: -2,
    run: ({ reply, server }) => reply.bulk([...server.sessions()].map((s) => `${line(s)}\n`).join('')),
  },
  'NO-EVICT': { arity: 3, run: onOrOff },
  'NO-TOUCH': { arity: 3, run: onOrOff },
  HELP: {
    arity: 2,
    run: ({ reply }) => {
      const names = Object.keys(subcommands);
      reply.array(names.length + 1);
      reply.simple('CLIENT <subcommand> [<arg> [value] ...]. Subcommands are:');
      for (const name of names) reply.simple(name);
    },
  },
};

const fits = (arity: number, count: number): boolean => (arity < 0 ? count >= -arity : count === arity);

export const clientCommand: SessionCommand = {
  kind: 'session',
  name: 'CLIENT',
  arity: -2,
  flags: ['noscript', 'loading', 'stale'],
  keys: noKeys,
  group: 'connection',
  summary: 'Tells about connections, and names them.',
  inTransaction: 'refuse',
  run(client, frame, reply, server) {
    const subcommand = subcommands[frame.word(1)];
    if (!subcommand) throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try CLIENT HELP.`);
    if (!fits(subcommand.arity, frame.count)) {
      throw new DbError('ERR', `wrong number of arguments for 'client|${frame.word(1).toLowerCase()}' command`);
    }
    subcommand.run({ client, frame, reply, server });
  },
};
