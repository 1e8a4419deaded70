import type { DbShardEntry } from '../../../contract/directory.ts';
import { inEpoch } from '../batch/epoch.ts';
import { requestKind } from '../batch/request-batch.ts';
import type { KeyCommand, ShardCommand } from '../commands/command.ts';
import { DbError, errorLine } from '../db-error.ts';
import { moveKey } from '../gateway/move-key.ts';
import { planCommand, planTransaction } from '../gateway/plan.ts';
import type { Ranges } from '../gateway/ranges.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { Replan, ShardRequest, Waiter } from '../gateway/request.ts';
import type { Router } from '../gateway/router.ts';
import { transact } from '../gateway/transact.ts';
import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import { decodeReply, type Reply } from '../resp/reply.ts';
import { encodeError, encodeReply } from '../resp/reply-writer.ts';
import type { ShardAnswer } from '../two-phase/coordinator.ts';
import type { Client } from './session.ts';

interface AskedOf<C> {
  readonly client: Client;
  readonly command: C;
  /** In RESP. */
  readonly payload: Buffer;
  readonly router: Router;
}

/** A command of a client, and its keys. */
export interface Asked extends AskedOf<KeyCommand> {
  readonly keys: readonly string[];
}

type Attempt = Promise<ShardAnswer | typeof overtaken>;
type Combine = (replies: readonly Buffer[]) => Buffer;

const decoded = (reply: Buffer): Reply => decodeReply(reply)?.reply ?? null;

const sum: Combine = (replies) =>
  encodeReply(2, (writer) => writer.integer(replies.reduce((total, reply) => total + Number(decoded(reply)), 0)));

/** Replies one after another, as one array. */
const list: Combine = (replies) => Buffer.concat([Buffer.from(`*${replies.length}\r\n`), ...replies]);

/** Arrays one after another, as one array. */
const join: Combine = (replies) => {
  const bodies = replies.map((reply) => reply.subarray(reply.indexOf('\r\n') + 2));
  const count = replies.reduce((total, reply) => total + (decoded(reply) as readonly Reply[]).length, 0);
  return Buffer.concat([Buffer.from(`*${count}\r\n`), ...bodies]);
};

const first: Combine = ([reply]) => reply ?? Buffer.alloc(0);

/** One of the replies that is not nil, at random. */
const any: Combine = (replies) => {
  const found = replies.filter((reply) => decoded(reply) !== null);
  return found[Math.floor(Math.random() * found.length)] ?? replies[0] ?? Buffer.alloc(0);
};

const combines: Readonly<Record<ShardCommand['combine'], Combine>> = { sum, join, any };

const combineOf = (command: KeyCommand | ShardCommand): Combine => {
  if (command.kind === 'keys') return first;
  return combines[command.combine];
};

/** All answers as one: the first error, if there is one. */
const together = (answers: readonly ShardAnswer[], combine: Combine): ShardAnswer => {
  const sequence = Math.max(0, ...answers.map((answer) => answer.sequence));
  const failed = answers.find(({ reply }) => reply[0] === 45);
  return { reply: failed?.reply ?? combine(answers.map(({ reply }) => reply)), sequence };
};

export const kindOf = (client: Client): number => (client.session.protocol === 3 ? requestKind.resp3 : 0);

/** The place of the next reply; nothing is read from the client before it is there. */
export const blockingPlace = (client: Client): Waiter => {
  const place = client.place();
  client.block();
  return {
    answer: (reply, sequence) => {
      place.answer(reply, sequence);
      client.unblock();
    },
  };
};

/**
 * Asks a shard for a client that waits: in turn with what it sent before. Nothing was sent after it that would have to
 * wait for a new plan.
 */
export const askInTurn = async (
  client: Client,
  router: Router,
  shard: DbShardEntry,
  request: Omit<ShardRequest, 'waiter' | 'replan' | 'asker'>,
): Promise<ShardAnswer> => {
  const answer = await router.ask(shard.name, { ...request, asker: client });
  answer.overtaken?.();
  return answer;
};

/** Fills a place with what comes. */
export const answerWith = (place: Waiter, coming: Promise<ShardAnswer>): void =>
  void coming
    .catch((error: unknown): ShardAnswer => ({ reply: encodeError(errorLine(error)), sequence: 0 }))
    .then(({ reply, sequence }) => place.answer(reply, sequence));

/** Has a request of a client planned anew. Nothing that the client sent after it is carried out before it is done. */
export const replanFor =
  (client: Client, place: Waiter, again: (deadline: number) => Promise<ShardAnswer>): Replan =>
  (deadline, goOn) => {
    client.block();
    const answer: Waiter['answer'] = (reply, sequence) => {
      place.answer(reply, sequence);
      goOn();
      client.unblock();
    };
    answerWith({ answer }, again(deadline));
  };

/**
 * Sends a command to every shard of the database. What the client sends after it waits, because a read of a whole
 * shard would see it.
 */
export const askEveryShard = ({ client, command, payload, router }: AskedOf<KeyCommand | ShardCommand>): void => {
  const { database } = client.session;
  if (router.ranges(database).shards.length === 0) throw new DbError('CLUSTERDOWN', 'the database has no shard');
  const asked = { kind: kindOf(client), payload: Buffer.from(payload) };
  const writes = command.flags.includes('write');
  const attempt = async (deadline: number): Attempt => {
    const ranges = router.ranges(database);
    const answers = await Promise.all(
      ranges
        .holders(ranges.served('', ''))
        .map((shard) =>
          askInTurn(client, router, shard, { ...inEpoch(asked, ranges.epochOf(shard)), writes, deadline }),
        ),
    );
    return answers.some((answer) => answer.overtaken) ? overtaken : together(answers, combineOf(command));
  };
  answerWith(blockingPlace(client), replanned(attempt));
};

/**
 * A command whose keys can be in any shard: each shard gets its own keys, and the integers that it answers are added. A
 * part whose keys have come apart is asked for anew; what the client sent after it waits meanwhile.
 */
const askForSum = async (asked: Asked, deadline: number): Promise<ShardAnswer> => {
  const { client, command, keys, router } = asked;
  const { database } = client.session;
  const ranges = router.ranges(database);
  const askOne = async ([shard, own]: [DbShardEntry, string[]]): Promise<ShardAnswer> => {
    const payload = encodeCommand([command.name, ...own.map((key) => Buffer.from(key, 'latin1'))]);
    const writes = command.flags.includes('write');
    const request = { kind: kindOf(client), payload, writes, keys: own, database, deadline, asker: client };
    const answer = await router.ask(shard.name, request);
    if (!answer.overtaken) return answer;
    client.block();
    return askForSum({ ...asked, keys: own }, deadline).finally(() => {
      answer.overtaken?.();
      client.unblock();
    });
  };
  const groups = Map.groupBy(keys, (key) => ranges.find(key));
  return together(await Promise.all([...groups].map(askOne)), sum);
};

/** Each key is a GET of its own. */
const askForList = async ({ client, keys, router }: Asked, deadline: number): Promise<ShardAnswer> => {
  const { database } = client.session;
  const ranges = router.ranges(database);
  const askOne = (key: string): Promise<ShardAnswer> => {
    const payload = encodeCommand(['GET', Buffer.from(key, 'latin1')]);
    const request = { kind: kindOf(client), payload, writes: false, keys: [key], database, deadline, asker: client };
    return router.ask(ranges.find(key).name, request);
  };
  return together(await Promise.all(keys.map(askOne)), list);
};

/** Commands that set several keys. MSETNX sets none if one of a shard's exists, which it says by a 0. */
const multiSets: Readonly<Record<string, { veto: boolean }>> = { MSET: { veto: false }, MSETNX: { veto: true } };
const isZero = ([reply]: readonly Buffer[]): boolean => reply?.[1] === 48;
const zero = encodeReply(2, (writer) => writer.integer(0));

/** RENAME and RENAMENX. */
const askToMove = async ({ client, command, keys: [from = '', to = ''], router }: Asked, deadline: number): Attempt => {
  const { database } = client.session;
  const move = { from, to, onlyIfFree: command.name === 'RENAMENX', database, router, asker: client, deadline };
  return { reply: await moveKey(move), sequence: 0 };
};

/** A command that is atomic, over several shards: by two-phase commit. @throws DbError CROSSSHARD when it cannot be split */
const askAtomically = async ({ client, command, payload, keys, router }: Asked, deadline: number): Attempt => {
  const { protocol, database } = client.session;
  const frame = new Frame();
  readTrusted(frame, payload, 0);
  const ranges = router.ranges(database);
  const planned = planCommand({ name: command.name, across: 'refuse' }, frame, keys, ranges);
  const plan = planTransaction([planned], [], ranges);
  const veto = multiSets[command.name]?.veto === true ? { veto: isZero } : {};
  const outcome = await transact(router, plan.parts, { protocol, deadline, asker: client, ...veto });
  if (outcome.kind === 'overtaken') return overtaken;
  if (outcome.kind === 'failed') return { reply: encodeError(outcome.error), sequence: 0 };
  return { reply: (outcome.kind === 'committed' && plan.merge(outcome.replies)[0]) || zero, sequence: 0 };
};

const isTogether = (keys: readonly string[], ranges: Ranges): boolean =>
  keys.every((key) => ranges.find(key) === ranges.find(keys[0] ?? ''));

/** Carries out a command wherever its keys are by now. */
export const askAnew = (asked: Asked, until: number): Promise<ShardAnswer> =>
  replanned(async (deadline) => {
    const { client, command, payload, keys, router } = asked;
    const { database } = client.session;
    const ranges = router.ranges(database);
    if (!isTogether(keys, ranges)) return askSpread(asked, deadline);
    const writes = command.flags.includes('write');
    const request = { kind: kindOf(client), payload, writes, keys, database, deadline };
    const answer = await askInTurn(client, router, ranges.find(keys[0] ?? ''), request);
    return answer.overtaken ? overtaken : answer;
  }, until);

const askSpread = (asked: Asked, deadline: number): Attempt => {
  const { across } = asked.command;
  if (across === 'sum') return askForSum(asked, deadline);
  if (asked.command.name.startsWith('RENAME')) return askToMove(asked, deadline);
  return across === 'list' ? askForList(asked, deadline) : askAtomically(asked, deadline);
};

/** Spreads a command over the shards of its keys. One that is not atomic does not hold up what the client sends after it. */
export const askShards = (asked: Asked): void => {
  const { client, command } = asked;
  const place = command.across === 'refuse' ? blockingPlace(client) : client.place();
  answerWith(
    place,
    replanned((deadline) => askSpread(asked, deadline)),
  );
};
