import { keyIndexes, noKeys, type CommandDescription } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Server, SessionCommand } from './session.ts';

const groupCategories: Readonly<Record<string, readonly string[]>> = {
  string: ['@string'],
  hash: ['@hash'],
  set: ['@set'],
  'sorted-set': ['@sortedset'],
  list: ['@list'],
  generic: ['@keyspace'],
  pubsub: ['@pubsub'],
  transactions: ['@transaction'],
};

const categories = (command: CommandDescription): string[] => [
  command.flags.includes('write') ? '@write' : command.flags.includes('readonly') ? '@read' : '@connection',
  command.flags.includes('fast') ? '@fast' : '@slow',
  ...(groupCategories[command.group] ?? []),
];

const writeStrings = (reply: ReplyWriter, strings: readonly string[]): void => {
  for (const text of strings) reply.simple(text);
};

/** One command as COMMAND INFO answers it. */
const writeInfo = (reply: ReplyWriter, command: CommandDescription | undefined): void => {
  if (!command) return reply.nil();
  reply.array(10);
  reply.bulk(command.name.toLowerCase());
  reply.integer(command.arity);
  reply.set(command.flags.length);
  writeStrings(reply, command.flags);
  const { first, last, step } = command.keys;
  for (const position of [first, last, step]) reply.integer(position);
  const acl = categories(command);
  reply.set(acl.length);
  writeStrings(reply, acl);
  for (let i = 0; i < 3; i++) reply.array(0);
};

/** One command as COMMAND DOCS answers it. */
const writeDocs = (reply: ReplyWriter, command: CommandDescription): void => {
  reply.bulk(command.name.toLowerCase());
  reply.map(3);
  for (const text of ['summary', command.summary, 'since', '1.0.0', 'group', command.group]) reply.bulk(text);
};

const named = (frame: Frame, server: Server): (CommandDescription | undefined)[] => {
  if (frame.count === 2) return [...server.commands.all];
  return Array.from({ length: frame.count - 2 }, (_, i) => server.commands.byName(frame.text(i + 2)));
};

const writeKeys = (frame: Frame, reply: ReplyWriter, server: Server): void => {
  const command = server.commands.byName(frame.text(2));
  if (!command) throw new DbError('ERR', 'Invalid command specified');
  const asked = new Frame();
  const args = Array.from({ length: frame.count - 2 }, (_, i) => frame.argument(i + 2));
  readTrusted(asked, encodeCommand(args), 0);
  const indexes = keyIndexes(command.keys, asked);
  if (indexes.length === 0) throw new DbError('ERR', 'The command has no key arguments');
  reply.array(indexes.length);
  for (const i of indexes) reply.bulk(frame.argument(i + 2));
};

const subcommands: Readonly<Record<string, (frame: Frame, reply: ReplyWriter, server: Server) => void>> = {
  COUNT: (_frame, reply, server) => reply.integer(server.commands.all.length),
  INFO: (frame, reply, server) => {
    const commands = named(frame, server);
    reply.array(commands.length);
    for (const command of commands) writeInfo(reply, command);
  },
  DOCS: (frame, reply, server) => {
    const commands = named(frame, server).filter((command) => command !== undefined);
    reply.map(commands.length);
    for (const command of commands) writeDocs(reply, command);
  },
  LIST: (_frame, reply, server) => {
    reply.array(server.commands.all.length);
    for (const command of server.commands.all) reply.bulk(command.name.toLowerCase());
  },
  GETKEYS: (frame, reply, server) => writeKeys(frame, reply, server),
};

export const commandCommand: SessionCommand = {
  kind: 'session',
  name: 'COMMAND',
  arity: -1,
  flags: ['loading', 'stale'],
  keys: noKeys,
  group: 'server',
  summary: 'Tells which commands there are.',
  inTransaction: 'refuse',
  run(_client, frame, reply, server) {
    if (frame.count === 1) {
      reply.array(server.commands.all.length);
      for (const command of server.commands.all) writeInfo(reply, command);
      return;
    }
    const run = subcommands[frame.word(1)];
    if (!run) throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try COMMAND HELP.`);
    run(frame, reply, server);
  },
};
