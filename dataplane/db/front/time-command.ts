import { noKeys } from '../commands/command.ts';
import type { SessionCommand } from './session.ts';

export const timeCommand: SessionCommand = {
  kind: 'session',
  keys: noKeys,
  group: 'server',
  inTransaction: 'refuse',
  name: 'TIME',
  arity: 1,
  flags: ['loading', 'stale', 'fast'],
  summary: 'Returns the clock of this gateway: seconds since 1970, and microseconds.',
  run(_client, _frame, reply) {
    const now = Date.now();
    reply.array(2);
    reply.bulk(String(Math.floor(now / 1000)));
    reply.bulk(String((now % 1000) * 1000));
  },
};
