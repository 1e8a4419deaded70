import type { DbShardEntry } from '../../../contract/directory.ts';
import { requestKind } from '../batch/request-batch.ts';
import type { KeyCommand, ShardCommand } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { moveKey } from '../gateway/move-key.ts';
import { planCommand, planTransaction } from '../gateway/plan.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Waiter } from '../gateway/request.ts';
import type { Router } from '../gateway/router.ts';
import { transact } from '../gateway/transact.ts';
import { encodeCommand, type Frame } from '../resp/frame.ts';
import { decodeReply, type Reply } from '../resp/reply.ts';
import { encodeError, encodeReply } from '../resp/reply-writer.ts';
import type { Client } from './session.ts';

/** A command that goes to several shards. */
export interface Spread {
  readonly command: KeyCommand | ShardCommand;
  readonly frame: Frame;
  readonly ranges: Ranges;
  readonly router: Router;
}

type Combine = (replies: readonly Buffer[]) => Buffer;

/** Waits for all parts, then answers once: with the first error if there is one. */
class Gather {
  readonly #replies: Buffer[];
  readonly #combine: Combine;
  readonly #to: Waiter;
  #missing: number;
  #sequence = 0;

  constructor(parts: number, combine: Combine, to: Waiter) {
    this.#replies = Array.from({ length: parts });
    this.#missing = parts;
    this.#combine = combine;
    this.#to = to;
  }

  part(i: number): Waiter {
    return {
      answer: (reply, sequence) => {
        this.#replies[i] = reply;
        this.#sequence = Math.max(this.#sequence, sequence);
        if (--this.#missing === 0) this.#finish();
      },
    };
  }

  #finish(): void {
    const error = this.#replies.find((reply) => reply[0] === 45);
    this.#to.answer(error ?? this.#combine(this.#replies), this.#sequence);
  }
}

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

const kindOf = (client: Client): number => (client.session.protocol === 3 ? requestKind.resp3 : 0);

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
 * Sends a command to every shard of the database. What the client sends after it waits, because a read of a whole
 * shard would see it.
 */
export const askEveryShard = (client: Client, { command, frame, ranges, router }: Spread): void => {
  if (ranges.shards.length === 0) throw new DbError('CLUSTERDOWN', 'the database has no shard');
  const writes = command.flags.includes('write');
  const payload = Buffer.from(frame.raw());
  const gather = new Gather(ranges.shards.length, combineOf(command), blockingPlace(client));
  for (const [i, shard] of ranges.shards.entries()) {
    router.submit(shard, { kind: kindOf(client), payload, writes, waiter: gather.part(i) });
  }
};

interface Part {
  readonly shard: DbShardEntry;
  readonly payload: Buffer;
}

/** Each shard's own keys, in one command. */
const byShard = (command: KeyCommand | ShardCommand, ranges: Ranges, keys: readonly string[]): Part[] => {
  const groups = Map.groupBy(keys, (key) => ranges.find(key));
  return [...groups].map(([shard, own]) => ({
    shard,
    payload: encodeCommand([command.name, ...own.map((key) => Buffer.from(key, 'latin1'))]),
  }));
};

const byKey = (ranges: Ranges, keys: readonly string[]): Part[] =>
  keys.map((key) => ({ shard: ranges.find(key), payload: encodeCommand(['GET', Buffer.from(key, 'latin1')]) }));

/** Commands that set several keys. MSETNX sets none if one of a shard's exists, which it says by a 0. */
const multiSets: Readonly<Record<string, { veto: boolean }>> = { MSET: { veto: false }, MSETNX: { veto: true } };
const isZero = ([reply]: readonly Buffer[]): boolean => reply?.[1] === 48;

/** A command that is atomic, over several shards: by two-phase commit. @throws DbError CROSSSHARD when it cannot be split */
const askAtomically = (client: Client, { command, frame, ranges, router }: Spread, keys: readonly string[]): void => {
  const { protocol } = client.session;
  if (command.name === 'RENAME' || command.name === 'RENAMENX') {
    const [from = '', to = ''] = keys;
    const move = { from, to, onlyIfFree: command.name === 'RENAMENX', ranges, router };
    const place = blockingPlace(client);
    return void moveKey(move).then((reply) => place.answer(reply, 0));
  }
  const planned = planCommand({ name: command.name, across: 'refuse' }, frame, keys, ranges);
  const plan = planTransaction([planned], [], ranges);
  const place = blockingPlace(client);
  const veto = multiSets[command.name]?.veto === true ? { veto: isZero } : {};
  void transact(router, plan.parts, { protocol, ...veto }).then((outcome) => {
    if (outcome.kind === 'failed') place.answer(encodeError(outcome.error), 0);
    else if (outcome.kind === 'committed') place.answer(plan.merge(outcome.replies)[0] ?? zero, 0);
    else place.answer(zero, 0);
  });
};
const zero = encodeReply(2, (writer) => writer.integer(0));

/**
 * Spreads a command over the shards of its keys.
 * @throws DbError CROSSSHARD when it is atomic
 */
export const askShards = (client: Client, spread: Spread, keys: readonly string[]): void => {
  const { command, ranges, router } = spread;
  if (command.kind !== 'keys') throw new DbError('ERR', `${command.name} has no keys`);
  if (command.across === 'refuse') return askAtomically(client, spread, keys);
  const parts = command.across === 'list' ? byKey(ranges, keys) : byShard(command, ranges, keys);
  const gather = new Gather(parts.length, command.across === 'list' ? list : sum, client.place());
  const writes = command.flags.includes('write');
  for (const [i, { shard, payload }] of parts.entries()) {
    router.submit(shard, { kind: kindOf(client), payload, writes, waiter: gather.part(i) });
  }
};
