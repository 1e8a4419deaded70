import type { DbShardEntry } from '../../../contract/directory.ts';
import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import { allKeys, noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { maxKeyBytes, maxRequestBytes, maxTransactionCommands } from '../limits.ts';
import { encodeCommand, type Frame } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { encodeReply } from '../resp/reply-writer.ts';
import type { QueuedTransaction, Server, ServerCommand, Session, SessionCommand } from './session.ts';

/** Puts a command into a transaction. @throws DbError when it cannot be part of one */
export const queueCommand = (
  command: ServerCommand,
  frame: Frame,
  transaction: QueuedTransaction,
  keys: readonly string[],
): void => {
  const fits =
    command.kind === 'keys'
      ? command.across !== 'every'
      : command.kind === 'session' && command.inTransaction === 'queue';
  if (!fits) throw new DbError('ERR', `${command.name} is not allowed in transactions`);
  const raw = frame.raw();
  if (transaction.commands.length >= maxTransactionCommands || transaction.bytes + raw.length > maxRequestBytes) {
    throw new DbError(
      'ERR',
      `a transaction has at most ${maxTransactionCommands} commands and ${maxRequestBytes} bytes`,
    );
  }
  transaction.commands.push(Buffer.from(raw));
  for (const key of keys) transaction.keys.push(key);
  transaction.bytes += raw.length;
  transaction.writes ||= command.flags.includes('write');
};

/** The one shard of all keys; null when there are no keys. @throws DbError CROSSSHARD */
export const shardOf = (session: Session, keys: Iterable<string>, server: Server): DbShardEntry | null => {
  const ranges = server.router.ranges(session.database);
  let shard: DbShardEntry | null = null;
  for (const key of keys) {
    const next = ranges.find(key);
    if (shard !== null && next !== shard) {
      throw new DbError('CROSSSHARD', 'the keys of a transaction have to be in one shard, watched ones included');
    }
    shard = next;
  }
  return shard;
};

const multi: SessionCommand = {
  kind: 'session',
  name: 'MULTI',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  keys: noKeys,
  group: 'transactions',
  summary: 'Starts a transaction.',
  inTransaction: 'run',
  run({ session }, _frame, reply) {
    if (session.transaction) {
      reply.error('ERR MULTI calls can not be nested');
      return;
    }
    session.transaction = { commands: [], keys: [], bytes: 0, writes: false, broken: false };
    reply.ok();
  },
};

const exec: SessionCommand = {
  kind: 'session',
  name: 'EXEC',
  arity: 1,
  flags: ['noscript', 'loading', 'stale'],
  keys: noKeys,
  group: 'transactions',
  summary: 'Carries out the commands of a transaction, all or none.',
  inTransaction: 'run',
  run(client, _frame, reply, server) {
    const { session } = client;
    const { transaction } = session;
    if (!transaction) throw new DbError('ERR', 'EXEC without MULTI');
    const watched = [...session.watched].map(([key, version]) => ({ key, version }));
    session.transaction = null;
    session.watched.clear();
    if (transaction.broken) throw new DbError('EXECABORT', 'Transaction discarded because of previous errors.');
    if (transaction.commands.length === 0 && watched.length === 0) return reply.array(0);
    const keys = [...transaction.keys, ...watched.map(({ key }) => key)];
    const shard = shardOf(session, keys, server) ?? server.router.ranges(session.database).find('');
    server.router.submit(shard, {
      kind: requestKind.transaction | (session.protocol === 3 ? requestKind.resp3 : 0),
      payload: encodeTransaction(watched, transaction.commands),
      writes: transaction.writes,
      waiter: client.place(),
    });
  },
};

const discard: SessionCommand = {
  kind: 'session',
  name: 'DISCARD',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  keys: noKeys,
  group: 'transactions',
  summary: 'Drops the commands of a transaction.',
  inTransaction: 'run',
  run({ session }, _frame, reply) {
    if (!session.transaction) throw new DbError('ERR', 'DISCARD without MULTI');
    session.transaction = null;
    session.watched.clear();
    reply.ok();
  },
};

/** Notes versions that a shard answered; a key that is watched already keeps its first. */
const noteVersions = (session: Session, keys: readonly string[], reply: Buffer): void => {
  const versions = decodeReply(reply)?.reply as readonly number[];
  for (const [i, key] of keys.entries()) {
    if (!session.watched.has(key)) session.watched.set(key, versions[i] ?? 0);
  }
};

const watch: SessionCommand = {
  kind: 'session',
  name: 'WATCH',
  arity: -2,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  keys: allKeys,
  group: 'transactions',
  summary: 'Makes the next transaction depend on keys being unchanged.',
  inTransaction: 'run',
  run(client, frame, reply, server) {
    const { session } = client;
    if (session.transaction) return reply.error('ERR WATCH inside MULTI is not allowed');
    const keys = Array.from({ length: frame.count - 1 }, (_, i) => frame.key(i + 1));
    if (keys.some((key) => key.length > maxKeyBytes))
      throw new DbError('ERR', `a key exceeds the limit of ${maxKeyBytes} bytes`);
    const shard = shardOf(session, [...keys, ...session.watched.keys()], server);
    if (!shard) return;
    const payload = encodeCommand(['QVERSIONS', ...keys.map((key) => Buffer.from(key, 'latin1'))]);
    const place = client.place();
    client.block();
    const answer = (reply: Buffer, sequence: number): void => {
      const failed = reply[0] === 45;
      if (!failed) noteVersions(session, keys, reply);
      place.answer(failed ? reply : okReply, sequence);
      client.unblock();
    };
    server.router.submit(shard, { kind: 0, payload, writes: false, waiter: { answer } });
  },
};

const okReply = encodeReply(2, (writer) => writer.ok());

const unwatch: SessionCommand = {
  kind: 'session',
  name: 'UNWATCH',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  keys: noKeys,
  group: 'transactions',
  summary: 'Forgets all watched keys.',
  inTransaction: 'refuse',
  run({ session }, _frame, reply) {
    session.watched.clear();
    reply.ok();
  },
};

export const transactionCommands: readonly SessionCommand[] = [multi, exec, discard, watch, unwatch];
