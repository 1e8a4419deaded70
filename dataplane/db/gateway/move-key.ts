import { encodeCommand } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { errorLine } from '../db-error.ts';
import { encodeError, encodeReply } from '../resp/reply-writer.ts';
import type { TransactionOutcome } from '../two-phase/coordinator.ts';
import { overtaken, replanned } from './replan.ts';
import type { ShardRequest } from './request.ts';
import type { Router } from './router.ts';
import { transact } from './transact.ts';

/** RENAME of a key to one in another shard, as it seemed when it was asked for: a merge may bring both together. */
export interface Move {
  readonly from: string;
  readonly to: string;
  /** RENAMENX: only if there is no key with the new name. */
  readonly onlyIfFree: boolean;
  readonly database: string | null;
  readonly router: Pick<Router, 'ranges' | 'ask'>;
  /** See {@link ShardRequest.asker}. */
  readonly asker: ShardRequest['asker'];
  /** Until when it may wait (performance.now(), milliseconds). */
  readonly deadline: number;
}

/** The value changed while it was read, so often in a row: then it is given up. */
const attempts = 10;

const raw = (key: string): Buffer => Buffer.from(key, 'latin1');
const one = encodeReply(2, (writer) => writer.integer(1));
const zero = encodeReply(2, (writer) => writer.integer(0));
const ok = encodeReply(2, (writer) => writer.ok());

interface Found {
  readonly version: number;
  readonly dump: Buffer;
}

/** The version of a key, and the value of that version or of a later one; or the reply that ends the command. */
const readKey = async ({ from, database, router, asker, deadline }: Move): Promise<Found | Buffer> => {
  const shard = router.ranges(database).find(from).name;
  const read = async (command: string): Promise<Buffer> => {
    const payload = encodeCommand([command, raw(from)]);
    return (await router.ask(shard, { kind: 0, payload, writes: false, keys: [from], database, deadline, asker }))
      .reply;
  };
  const versions = await read('QVERSIONS');
  if (versions[0] === 45) return versions;
  const dumped = await read('QDUMP');
  const dump = decodeReply(dumped)?.reply;
  if (dumped[0] === 45) return dumped;
  const [version = 0] = (decodeReply(versions)?.reply ?? []) as readonly number[];
  if (!Buffer.isBuffer(dump)) return encodeError('ERR no such key');
  return { version, dump };
};

const exists = ([reply]: readonly Buffer[]): boolean => reply?.[0] === 58 && reply[1] === 49;

/** The shards of the old name and the new one. */
const shardsOf = ({ router, database, from, to }: Move): readonly [from: string, to: string] => {
  const ranges = router.ranges(database);
  return [ranges.find(from).name, ranges.find(to).name];
};

/** Both names are in one shard by now. */
const renameWithin = async (move: Move, shard: string): Promise<Buffer | typeof overtaken> => {
  const { from, to, onlyIfFree, database, router, asker, deadline } = move;
  const payload = encodeCommand([onlyIfFree ? 'RENAMENX' : 'RENAME', raw(from), raw(to)]);
  const place = { keys: [from, to], database, deadline, asker };
  const answer = await router.ask(shard, { kind: 0, payload, writes: true, ...place });
  answer.overtaken?.();
  return answer.overtaken ? overtaken : answer.reply;
};

const tryMove = async (move: Move, { version, dump }: Found): Promise<TransactionOutcome> => {
  const [from, to] = shardsOf(move);
  // A shard prepares one part of a transaction.
  if (from === to) return { kind: 'overtaken' };
  const parts = [
    { shard: from, watched: [{ key: move.from, version }], commands: [encodeCommand(['UNLINK', raw(move.from)])] },
    {
      shard: to,
      watched: [],
      commands: [encodeCommand(['EXISTS', raw(move.to)]), encodeCommand(['QLOAD', raw(move.to), dump])],
    },
  ];
  const veto = (replies: readonly Buffer[]): boolean => move.onlyIfFree && replies.length === 2 && exists(replies);
  return transact(move.router, parts, { veto, deadline: move.deadline, asker: move.asker });
};

/** Moves a value to another shard, atomically. Never rejects; answers the command's reply. */
export const moveKey = (move: Move): Promise<Buffer> =>
  replanned(() => moveOnce(move), move.deadline).catch((error: unknown) => encodeError(errorLine(error)));

const moveOnce = async (move: Move): Promise<Buffer | typeof overtaken> => {
  const [here, there] = shardsOf(move);
  if (here === there) return renameWithin(move, here);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await readKey(move);
    if (Buffer.isBuffer(found)) return found;
    const outcome = await tryMove(move, found);
    if (outcome.kind === 'overtaken') return overtaken;
    if (outcome.kind === 'failed') return encodeError(outcome.error);
    if (outcome.kind === 'refused') return zero;
    if (outcome.kind === 'committed') return move.onlyIfFree ? one : ok;
  }
  return encodeError('TRYAGAIN the key is changed too often to be moved; not executed');
};
