import { fitsArity, keyIndexes, oneKey, type KeyCommand } from '../commands/command.ts';
import { refusedCommands } from '../commands/refused.ts';
import { DbError, errorLine } from '../db-error.ts';
import { maxKeyBytes } from '../limits.ts';
import { encodeError, type ReplyWriter } from '../resp/reply-writer.ts';
import type { Frame } from '../resp/frame.ts';
import { submitReadOnly } from './read-only.ts';
import { askAnew, askEveryShard, askShards, kindOf, replanFor, type Asked } from './fan-out.ts';
import { allowedWhileListening, isListening } from './pubsub-commands.ts';
import { queueCommand } from './transactions.ts';
import type { Replan, Waiter } from '../gateway/request.ts';
import type { Client, Server, ServerCommand, Session } from './session.ts';

/** As Redis says it: the name and the first arguments, cut. */
const unknownCommand = (frame: Frame): DbError => {
  const reason = frame.lengthOf(0) < 32 ? refusedCommands.get(frame.word(0)) : undefined;
  if (reason !== undefined) return new DbError('ERR', `${frame.word(0)} is not served: ${reason}`);
  let args = '';
  for (let i = 1; i < frame.count && args.length < 128; i++) args += `'${frame.text(i).slice(0, 128 - args.length)}' `;
  return new DbError('ERR', `unknown command '${frame.text(0).slice(0, 128)}', with args beginning with: ${args}`);
};

const listening = ({ name }: ServerCommand): DbError =>
  new DbError(
    'ERR',
    `Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );

/** Why a command is refused before anything is done; null: it is not. */
const refusal = (command: ServerCommand, frame: Frame, session: Session): DbError | null => {
  if (!fitsArity(command.arity, frame.count)) {
    return new DbError('ERR', `wrong number of arguments for '${command.name.toLowerCase()}' command`);
  }
  return isListening(session) && !allowedWhileListening.has(command.name) ? listening(command) : null;
};

/** Key `i` of a frame. @throws DbError when it is too long */
const keyArgument = (frame: Frame, i: number): string => {
  if (frame.lengthOf(i) > maxKeyBytes) {
    throw new DbError('ERR', `a key of ${frame.lengthOf(i)} bytes exceeds the limit of ${maxKeyBytes} bytes`);
  }
  return frame.key(i);
};

/** All keys of a command. @throws DbError */
export const keysOf = (command: ServerCommand, frame: Frame): string[] =>
  keyIndexes(command.keys, frame).map((i) => keyArgument(frame, i));

const isWrite = (command: ServerCommand): boolean => command.flags.includes('write');

const runKeyCommand = (command: KeyCommand, client: Client, frame: Frame, server: Server): void => {
  const { session } = client;
  const ranges = server.router.ranges(session.database);
  const { router } = server;
  if (command.across === 'every') return askEveryShard({ client, command, payload: frame.raw(), router });
  const indexes = command.keys === oneKey ? null : keyIndexes(command.keys, frame);
  const keys = indexes === null ? [keyArgument(frame, 1)] : indexes.map((i) => keyArgument(frame, i));
  const shard = ranges.find(keys[0] ?? '');
  if (keys.length > 1 && keys.some((key) => ranges.find(key) !== shard)) {
    return askShards({ client, command, payload: Buffer.from(frame.raw()), keys, router });
  }
  const place = client.place();
  const request = {
    kind: kindOf(client),
    payload: frame.raw(),
    writes: isWrite(command),
    waiter: place,
    keys,
    database: session.database,
    asker: client,
    replan: keys.length > 1 ? replanKeys({ client, command, payload: frame.raw(), keys, router }, place) : undefined,
  };
  if (session.readOnly) return submitReadOnly(session, command, { shard, request, router });
  router.submit(shard, request);
};

/** For a command whose keys lie in one shard, should they come apart. */
const replanKeys = (asked: Asked, place: Waiter): Replan =>
  replanFor(asked.client, place, (deadline) => askAnew(asked, deadline));

const run = (client: Client, frame: Frame, reply: ReplyWriter, server: Server): void => {
  const command = server.commands.find(frame);
  if (!command) throw unknownCommand(frame);
  client.session.lastCommand = command.name;
  const figures = server.stats.of(command.name);
  const refused = refusal(command, frame, client.session);
  if (refused) {
    figures.rejected++;
    throw refused;
  }
  const { transaction } = client.session;
  if (transaction && !(command.kind === 'session' && command.inTransaction === 'run')) {
    queueCommand(command, frame, transaction, keysOf(command, frame));
    return reply.simple('QUEUED');
  }
  client.begin(figures);
  if (command.kind === 'keys') {
    runKeyCommand(command, client, frame, server);
  } else if (command.kind === 'shard') {
    askEveryShard({ client, command, payload: frame.raw(), router: server.router });
  } else command.run(client, frame, reply, server);
};

/** Names that browsers and mailers send, never clients of ours: a sign that somebody smuggles commands. */
const foreignNames = new Set(['POST', 'HOST:']);

/** Carries out one command of a client. Its reply has its place from now on. */
export const dispatch = (client: Client, frame: Frame, reply: ReplyWriter, server: Server): void => {
  server.facts.commandsProcessed++;
  reply.length = 0;
  reply.protocol = client.session.protocol;
  client.begin(null);
  try {
    run(client, frame, reply, server);
  } catch (error) {
    if (foreignNames.has(frame.word(0))) client.closeAfterReplies();
    if (client.session.transaction) client.session.transaction.broken = true;
    client.answer(encodeError(errorLine(error)));
    return;
  }
  if (reply.length > 0) client.answer(reply.take());
};
