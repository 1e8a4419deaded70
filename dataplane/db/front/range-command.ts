import type { DbShardEntry } from '../../../contract/directory.ts';
import { parseRange, rangeDescription, type RangeRequest } from '../commands/qrange.ts';
import { DbError } from '../db-error.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { encodeError } from '../resp/reply-writer.ts';
import { maxReplyBytes } from '../limits.ts';
import { blockingPlace } from './fan-out.ts';
import type { Server, SessionCommand } from './session.ts';
import type { Waiter } from '../gateway/request.ts';

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Shards that the range touches, in its order. */
const shardsOf = (shards: readonly DbShardEntry[], { range }: RangeRequest): DbShardEntry[] => {
  const { from = '', to, reverse } = range;
  const touched = shards.filter(
    ({ start, end }) => (to === undefined || bytesOf(start) < to) && (end === '' || from < bytesOf(end)),
  );
  return reverse ? touched.reverse() : touched;
};

const command = ({ range, at }: RangeRequest, left: number): Buffer => {
  const ends = [range.from ?? '', range.to ?? ''].map((text) => Buffer.from(text, 'latin1'));
  const words = [
    'LIMIT',
    String(left),
    ...(range.reverse ? ['REVERSE'] : []),
    ...(at === null ? [] : ['AT', String(at)]),
  ];
  return encodeCommand(['QRANGE', ...ends, ...words]);
};

interface Walk {
  readonly request: RangeRequest;
  readonly server: Server;
  readonly waiter: Waiter;
  readonly bodies: Buffer[];
  found: number;
}

const finish = (walk: Walk, sequence: number): void =>
  walk.waiter.answer(Buffer.concat([Buffer.from(`*${walk.found}\r\n`), ...walk.bodies]), sequence);

/** Asks one shard after another, until there are enough. */
const askNext = (walk: Walk, [shard, ...others]: readonly DbShardEntry[], sequence: number): void => {
  const left = walk.request.limit - walk.found;
  if (!shard || left <= 0) return finish(walk, sequence);
  const answer = (reply: Buffer, seen: number): void => {
    if (reply[0] === 45) return walk.waiter.answer(reply, seen);
    const decoded = decodeReply(reply)?.reply;
    walk.found += Array.isArray(decoded) ? decoded.length : 0;
    walk.bodies.push(reply.subarray(reply.indexOf('\r\n') + 2));
    const bytes = walk.bodies.reduce((sum, { length }) => sum + length, 0);
    if (bytes > maxReplyBytes)
      return walk.waiter.answer(encodeError(`ERR the reply exceeds the limit of ${maxReplyBytes} bytes`), 0);
    askNext(walk, others, seen);
  };
  walk.server.router.submit(shard, {
    kind: 0,
    payload: command(walk.request, left),
    writes: false,
    waiter: { answer },
  });
};

/** QRANGE walks over the shards in the order of the range. */
export const rangeCommand: SessionCommand = {
  ...rangeDescription,
  kind: 'session',
  inTransaction: 'refuse',
  run(client, frame, _reply, server) {
    const request = parseRange(frame);
    const shards = shardsOf(server.router.ranges(client.session.database).shards, request);
    if (request.at !== null && shards.length > 1) {
      throw new DbError('CROSSSHARD', 'a sequence is that of one shard, and the range lies in several');
    }
    askNext({ request, server, waiter: blockingPlace(client), bodies: [], found: 0 }, shards, 0);
  },
};
