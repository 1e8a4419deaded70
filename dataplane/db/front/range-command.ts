import { inEpoch } from '../batch/epoch.ts';
import { parseRange, rangeDescription, type RangeRequest } from '../commands/qrange.ts';
import { DbError } from '../db-error.ts';
import { encodeCommand } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { maxReplyBytes } from '../limits.ts';
import type { RangePart, Ranges } from '../gateway/ranges.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { Router } from '../gateway/router.ts';
import { overlap } from '../store/key-range.ts';
import type { Range } from '../store/reading.ts';
import type { ShardAnswer } from '../two-phase/coordinator.ts';
import { answerWith, askInTurn, blockingPlace } from './fan-out.ts';
import type { Client, SessionCommand } from './session.ts';

const command = (part: RangePart, { range, at }: RangeRequest, left: number): Buffer => {
  // The shard may have more by the time that it is asked.
  const { start, end } = overlap(part, { start: range.from ?? '', end: range.to ?? '' });
  const ends = [start, end].map((text) => Buffer.from(text, 'latin1'));
  const words = [
    'LIMIT',
    String(left),
    ...(range.reverse ? ['REVERSE'] : []),
    ...(at === null ? [] : ['AT', String(at)]),
  ];
  return encodeCommand(['QRANGE', ...ends, ...words]);
};

/** How far a walk is: nothing before is missing (reverse: nothing after). */
interface Walk {
  readonly request: RangeRequest;
  readonly bodies: readonly Buffer[];
  readonly found: number;
  readonly sequence: number;
}

const partsOf = (ranges: Ranges, { range: { from = '', to = '', reverse } }: RangeRequest): RangePart[] => {
  const parts = ranges.served(from, to);
  return reverse ? parts.reverse() : parts;
};

/** What is left of a range after one of its parts; null: nothing. */
const after = ({ range }: RangeRequest, part: RangePart): Range | null => {
  if (range.reverse) return part.start === '' || part.start <= (range.from ?? '') ? null : { ...range, to: part.start };
  return part.end === '' || (range.to !== undefined && part.end >= range.to) ? null : { ...range, from: part.end };
};

interface Asking {
  readonly client: Client;
  readonly router: Router;
}

/** Asks the shard that comes next. Answers the walk that goes on, or the reply. */
const step = async (
  walk: Walk,
  { client, router }: Asking,
  deadline: number,
): Promise<Walk | ShardAnswer | typeof overtaken> => {
  const ranges = router.ranges(client.session.database);
  const parts = partsOf(ranges, walk.request);
  const [part] = parts;
  const left = walk.request.limit - walk.found;
  if (!part || left <= 0) return replyOf(walk);
  if (walk.request.at !== null && parts.length > 1) {
    throw new DbError('CROSSSHARD', 'a sequence is that of one shard, and the range lies in several');
  }
  const asked = inEpoch({ kind: 0, payload: command(part, walk.request, left) }, part.epoch);
  const answer = await askInTurn(client, router, part.shard, { ...asked, writes: false, deadline });
  if (answer.overtaken) return overtaken;
  if (answer.reply[0] === 45) return answer;
  const next = extended(walk, answer);
  const range = after(walk.request, part);
  return range === null ? replyOf(next) : { ...next, request: { ...walk.request, range } };
};

/** @throws DbError ERR when the reply gets too large */
const extended = (walk: Walk, { reply, sequence }: ShardAnswer): Walk => {
  const decoded = decodeReply(reply)?.reply;
  const bodies = [...walk.bodies, reply.subarray(reply.indexOf('\r\n') + 2)];
  if (bodies.reduce((sum, { length }) => sum + length, 0) > maxReplyBytes) {
    throw new DbError('ERR', `the reply exceeds the limit of ${maxReplyBytes} bytes`);
  }
  return { ...walk, bodies, sequence, found: walk.found + (Array.isArray(decoded) ? decoded.length : 0) };
};

const replyOf = ({ found, bodies, sequence }: Walk): ShardAnswer => ({
  reply: Buffer.concat([Buffer.from(`*${found}\r\n`), ...bodies]),
  sequence,
});

/** Asks one shard after another, until there are enough. */
const walkOver = async (request: RangeRequest, asking: Asking): Promise<ShardAnswer> => {
  let walk: Walk = { request, bodies: [], found: 0, sequence: 0 };
  for (;;) {
    const current = walk;
    const next = await replanned((deadline) => step(current, asking, deadline));
    if ('reply' in next) return next;
    walk = next;
  }
};

/** QRANGE walks over the shards in the order of the range. */
export const rangeCommand: SessionCommand = {
  ...rangeDescription,
  kind: 'session',
  inTransaction: 'refuse',
  run(client, frame, _reply, { router }) {
    const request = parseRange(frame);
    answerWith(blockingPlace(client), walkOver(request, { router, client }));
  },
};
