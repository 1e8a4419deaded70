import { countArgument } from '../commands/arguments.ts';
import { noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Server, SessionCommand } from './session.ts';
import type { SlowCommand } from './slow-log.ts';

const write = (reply: ReplyWriter, { id, at, micros, args, address, name }: SlowCommand): void => {
  reply.array(6);
  reply.integer(id);
  reply.integer(Math.floor(at / 1000));
  reply.integer(micros);
  reply.array(args.length);
  for (const arg of args) reply.bulk(Buffer.from(arg, 'latin1'));
  reply.bulk(address);
  reply.bulk(name);
};

const subcommands: Readonly<Record<string, (frame: Frame, reply: ReplyWriter, server: Server) => void>> = {
  GET: (frame, reply, { slowLog }) => {
    const all = frame.count > 2 && frame.text(2) === '-1';
    const entries = slowLog.newest(all ? Infinity : frame.count > 2 ? countArgument(frame, 2) : 10);
    reply.array(entries.length);
    for (const entry of entries) write(reply, entry);
  },
  LEN: (_frame, reply, { slowLog }) => reply.integer(slowLog.length),
  RESET: (_frame, reply, { slowLog }) => {
    slowLog.clear();
    reply.ok();
  },
};

export const slowlogCommand: SessionCommand = {
  kind: 'session',
  keys: noKeys,
  group: 'server',
  inTransaction: 'refuse',
  name: 'SLOWLOG',
  arity: -2,
  flags: ['admin', 'loading', 'stale'],
  summary: 'Tells which commands took long at this gateway, the wait for the log included.',
  run(_client, frame, reply, server) {
    const subcommand = subcommands[frame.word(1)];
    if (!subcommand) throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try SLOWLOG HELP.`);
    subcommand(frame, reply, server);
  },
};
