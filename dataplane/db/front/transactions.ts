import type { DbShardEntry } from '../../../contract/directory.ts';
import { encodeTransaction, requestKind, type WatchedKey } from '../batch/request-batch.ts';
import { allKeys, keyIndexes, noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { maxKeyBytes, maxRequestBytes, maxTransactionCommands } from '../limits.ts';
import { planCommand, planTransaction, type Plan, type PlannedCommand } from '../gateway/plan.ts';
import type { Ranges } from '../gateway/ranges.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { ShardRequest } from '../gateway/request.ts';
import type { Router } from '../gateway/router.ts';
import { transact } from '../gateway/transact.ts';
import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { encodeError, encodeReply, type Protocol } from '../resp/reply-writer.ts';
import type { ShardAnswer, TransactionOutcome } from '../two-phase/coordinator.ts';
import { answerWith, askInTurn, blockingPlace, replanFor } from './fan-out.ts';
import type { Client, QueuedTransaction, Server, ServerCommand, Session, SessionCommand } from './session.ts';

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

/** A transaction that EXEC was called for. */
interface Called {
  readonly transaction: QueuedTransaction;
  readonly watched: readonly WatchedKey[];
  /** Its own, and those that are watched. */
  readonly keys: readonly string[];
}

/** A queued command, split over the shards of its keys. @throws DbError CROSSSHARD when it cannot be split */
const planQueued = (raw: Buffer, ranges: Ranges, server: Server): PlannedCommand => {
  const frame = new Frame();
  readTrusted(frame, raw, 0);
  const command = server.commands.find(frame);
  if (command?.kind !== 'keys') return planCommand({ name: frame.word(0), across: 'refuse' }, frame, [], ranges);
  const keys = keyIndexes(command.keys, frame).map((i) => frame.key(i));
  const planned = planCommand(command, frame, keys, ranges);
  if (command.name === 'MSETNX' && planned.parts.length > 1) {
    throw new DbError('CROSSSHARD', 'MSETNX with keys in different shards cannot be part of a transaction');
  }
  return planned;
};

/** In one shard. */
const execRequest = ({ session }: Client, { transaction, watched, keys }: Called): Omit<ShardRequest, 'waiter'> => ({
  kind: requestKind.transaction | (session.protocol === 3 ? requestKind.resp3 : 0),
  payload: encodeTransaction(watched, transaction.commands),
  writes: transaction.writes,
  keys,
  database: session.database,
});

/** By two-phase commit. */
const execAcrossShards = async (
  client: Client,
  { transaction, watched }: Called,
  { server, deadline }: { server: Server; deadline: number },
): Promise<ShardAnswer | typeof overtaken> => {
  const { protocol, database } = client.session;
  const ranges = server.router.ranges(database);
  const planned = transaction.commands.map((raw) => planQueued(raw, ranges, server));
  const plan = planTransaction(planned, watched, ranges);
  const outcome = await transact(server.router, plan.parts, { protocol, deadline, asker: client });
  return outcome.kind === 'overtaken' ? overtaken : { reply: execReply(plan, outcome, protocol), sequence: 0 };
};

/** The shard of all keys of a transaction; null: they are in several. @throws DbError CLUSTERDOWN */
const shardOf = (ranges: Ranges, keys: readonly string[]): DbShardEntry | null => {
  const [shard = ranges.find(''), ...others] = new Set(keys.map((key) => ranges.find(key)));
  return others.length === 0 ? shard : null;
};

/** Wherever its keys are by now. */
const execAnew = (client: Client, called: Called, server: Server, until?: number): Promise<ShardAnswer> =>
  replanned(async (deadline) => {
    const shard = shardOf(server.router.ranges(client.session.database), called.keys);
    if (shard === null) return execAcrossShards(client, called, { server, deadline });
    const answer = await askInTurn(client, server.router, shard, { ...execRequest(client, called), deadline });
    return answer.overtaken ? overtaken : answer;
  }, until);

const execReply = (plan: Plan, outcome: TransactionOutcome, protocol: Protocol): Buffer => {
  if (outcome.kind === 'failed') return encodeError(outcome.error);
  if (outcome.kind !== 'committed') return encodeReply(protocol, (writer) => writer.nilArray());
  const replies = plan.merge(outcome.replies);
  return Buffer.concat([Buffer.from(`*${replies.length}\r\n`), ...replies]);
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
    const called = { transaction, watched, keys: [...transaction.keys, ...watched.map(({ key }) => key)] };
    const shard = shardOf(server.router.ranges(session.database), called.keys);
    // Nothing that the client sends after it is read before it is decided.
    const waiter = shard === null ? blockingPlace(client) : client.place();
    // Clients send a transaction as a whole: its QUEUED replies need no write of their own.
    client.hold();
    if (shard === null) return answerWith(waiter, execAnew(client, called, server));
    const replan = replanFor(client, waiter, (deadline) => execAnew(client, called, server, deadline));
    server.router.submit(shard, { ...execRequest(client, called), waiter, asker: client, replan });
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
    answerWith(
      blockingPlace(client),
      replanned((deadline) => watchKeys(client, keys, server.router, deadline)),
    );
  },
};

/** Asks each shard for the versions of its keys. */
const watchKeys = async (
  client: Client,
  keys: readonly string[],
  router: Router,
  deadline: number,
): Promise<ShardAnswer | typeof overtaken> => {
  const { session } = client;
  const { database } = session;
  const ranges = router.ranges(database);
  const groups = [...Map.groupBy(keys, (key) => ranges.find(key))];
  const answers = await Promise.all(
    groups.map(([shard, own]) => {
      const payload = encodeCommand(['QVERSIONS', ...own.map((key) => Buffer.from(key, 'latin1'))]);
      return askInTurn(client, router, shard, { kind: 0, payload, writes: false, keys: own, database, deadline });
    }),
  );
  if (answers.some((answer) => answer.overtaken)) return overtaken;
  const failed = answers.find(({ reply }) => reply[0] === 45);
  if (failed) return failed;
  for (const [i, [, own]] of groups.entries()) noteVersions(session, own, answers[i]?.reply ?? Buffer.alloc(0));
  return { reply: okReply, sequence: Math.max(0, ...answers.map(({ sequence }) => sequence)) };
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
