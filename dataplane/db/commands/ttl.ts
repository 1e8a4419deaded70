import { oneKey, type KeyCommand } from './command.ts';
import type { Row } from '../store/row.ts';

const remaining = (name: string, summary: string, ttl: (row: Row, now: number) => number): KeyCommand => ({
  kind: 'keys',
  name,
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey,
  group: 'generic',
  summary,
  across: 'refuse',
  evaluate(view, frame, reply) {
    const row = view.get(frame.key(1));
    if (!row) return reply.integer(-2);
    reply.integer(row.expireAt === 0 ? -1 : ttl(row, view.now));
  },
});

export const ttl = remaining('TTL', 'Returns the time to live of a key in seconds.', (row, now) =>
  Math.floor((row.expireAt - now + 500) / 1000),
);
export const pttl = remaining('PTTL', 'Returns the time to live of a key in milliseconds.', (row, now) =>
  Math.max(0, Math.floor(row.expireAt - now)),
);
export const expiretime = remaining('EXPIRETIME', 'Returns when a key expires, in seconds since 1970.', (row) =>
  Math.floor(row.expireAt / 1000),
);
export const pexpiretime = remaining(
  'PEXPIRETIME',
  'Returns when a key expires, in milliseconds since 1970.',
  (row) => row.expireAt,
);
