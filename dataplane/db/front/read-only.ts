import type { DbShardEntry } from '../../../contract/directory.ts';
import type { KeyCommand } from '../commands/command.ts';
import { noKeys } from '../commands/command.ts';
import type { ShardRequest, Waiter } from '../gateway/request.ts';
import type { Router } from '../gateway/router.ts';
import type { Session, SessionCommand } from './session.ts';

/** A member that may be older than this does not answer a READONLY connection, milliseconds. */
export const maxLagMs = 2_000;

const described = {
  kind: 'session',
  arity: 1,
  flags: ['fast', 'loading', 'stale'],
  keys: noKeys,
  group: 'connection',
  inTransaction: 'refuse',
} as const;

/** As in Redis Cluster: from now on this connection accepts that what it reads is a little old. */
const readOnly: SessionCommand = {
  ...described,
  name: 'READONLY',
  summary: 'Lets any member answer reads, with a bound on their age.',
  run({ session }, _frame, reply) {
    session.readOnly ??= new Map();
    reply.ok();
  },
};

const readWrite: SessionCommand = {
  ...described,
  name: 'READWRITE',
  summary: 'Ends READONLY: only primaries answer.',
  run({ session }, _frame, reply) {
    session.readOnly = null;
    reply.ok();
  },
};

export const readOnlyCommands: readonly SessionCommand[] = [readOnly, readWrite];

/**
 * Sends a command of a READONLY connection: reads to any member that is young enough, the rest to the primary. What
 * the connection has seen of a shard's log it never sees less of: not of its own writes, not of another member.
 */
export const submitReadOnly = (
  session: Session,
  command: KeyCommand,
  { shard, request, router }: { shard: DbShardEntry; request: ShardRequest; router: Router },
): void => {
  const seen = session.readOnly ?? new Map<string, number>();
  const waiter: Waiter = {
    answer(reply, sequence) {
      seen.set(shard.name, Math.max(seen.get(shard.name) ?? 0, sequence));
      request.waiter.answer(reply, sequence);
    },
  };
  if (!command.flags.includes('readonly')) return router.submit(shard, { ...request, waiter });
  const { keys = [], database = null, asker, replan } = request;
  // The frame's bytes are used again, and the request may be sent twice.
  const payload = Buffer.from(request.payload);
  router.read(shard, payload, {
    waiter,
    protocol: session.protocol,
    seen: seen.get(shard.name) ?? 0,
    maxLagMs,
    place: { keys, database, asker, replan },
  });
};
