import { DbError } from '../db-error.ts';
import { noKeys, type KeyCommand } from './command.ts';

/** Front ends answer it themselves, except in transactions. */
export const ping: KeyCommand = {
  kind: 'keys',
  name: 'PING',
  arity: -1,
  flags: ['fast'],
  keys: noKeys,
  group: 'connection',
  summary: 'Answers PONG, or its argument.',
  across: 'refuse',
  evaluate(_view, frame, reply) {
    if (frame.count > 2) throw new DbError('ERR', "wrong number of arguments for 'ping' command");
    if (frame.count === 2) reply.bulk(frame.argument(1));
    else reply.simple('PONG');
  },
};

/** Front ends answer it themselves, except in transactions. */
export const echo: KeyCommand = {
  kind: 'keys',
  name: 'ECHO',
  arity: 2,
  flags: ['fast'],
  keys: noKeys,
  group: 'connection',
  summary: 'Answers its argument.',
  across: 'refuse',
  evaluate(_view, frame, reply) {
    reply.bulk(frame.argument(1));
  },
};
