import { inEpoch } from '../batch/epoch.ts';
import { smallInteger, syntaxError } from '../commands/arguments.ts';
import { scanDescription } from '../commands/table.ts';
import { DbError } from '../db-error.ts';
import { overtaken, replanned } from '../gateway/replan.ts';
import type { Router } from '../gateway/router.ts';
import { encodeCommand, type Frame } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { encodeReply } from '../resp/reply-writer.ts';
import type { ShardAnswer } from '../two-phase/coordinator.ts';
import { answerWith, askInTurn, blockingPlace } from './fan-out.ts';
import type { Client, Server, Session, SessionCommand } from './session.ts';

interface ScanOptions {
  readonly count: number;
  readonly pattern: string;
  readonly type: string;
}

const parseOptions = (frame: Frame): ScanOptions => {
  let [count, pattern, type] = [10, '*', ''];
  for (let i = 2; i < frame.count; i += 2) {
    const word = frame.word(i);
    if (i + 1 >= frame.count) throw syntaxError();
    if (word === 'COUNT') count = smallInteger(frame, i + 1);
    else if (word === 'MATCH') pattern = frame.key(i + 1);
    else if (word === 'TYPE') type = frame.text(i + 1).toLowerCase();
    else throw syntaxError();
  }
  if (count < 1) throw syntaxError();
  return { count, pattern, type };
};

/** Where a cursor leads. @throws DbError when it is not one of ours, or no longer */
const placeOf = (cursor: string, session: Session, server: Server): string => {
  if (cursor === '0') return '';
  const place = server.cursors.get(cursor);
  if (place === undefined || place.database !== session.database) throw new DbError('ERR', 'invalid cursor');
  return place.from;
};

/** What a step found, or the error that it was answered. */
type ScanAnswer =
  | ShardAnswer
  | {
      /** Where the scan goes on; null: it is over. */
      readonly next: string | null;
      readonly keys: readonly Buffer[];
      readonly sequence: number;
    };

/** What QSCAN answered. */
const stepReply = (reply: Buffer): [Buffer, Buffer[]] => {
  const decoded = decodeReply(reply);
  return (decoded === null ? [Buffer.from('-'), []] : decoded.reply) as [Buffer, Buffer[]];
};

interface Scan extends ScanOptions {
  readonly from: string;
  readonly client: Client;
  readonly router: Router;
}

/** A step of the shard that has the keys at the place; or the error that it answers. */
const scanOnce = async (
  { from, count, pattern, type, client, router }: Scan,
  deadline: number,
): Promise<ScanAnswer | typeof overtaken> => {
  const ranges = router.ranges(client.session.database);
  const [part] = ranges.served(from, '');
  if (!part) return { next: null, keys: [], sequence: 0 };
  const start = Buffer.from(`=${from < part.start ? part.start : from}`, 'latin1');
  const payload = encodeCommand(['QSCAN', start, String(count), Buffer.from(pattern, 'latin1'), type]);
  const request = { ...inEpoch({ kind: 0, payload }, part.epoch), writes: false, deadline };
  const answer = await askInTurn(client, router, part.shard, request);
  if (answer.overtaken) return overtaken;
  if (answer.reply[0] === 45) return answer;
  const [last, keys] = stepReply(answer.reply);
  const done = part.end === '' ? null : part.end;
  return { next: last[0] === 43 ? `${last.toString('latin1', 1)}\0` : done, keys, sequence: answer.sequence };
};

/** SCAN walks over the shards in the order of their ranges, a step of one shard at a time. */
export const scanCommand: SessionCommand = {
  ...scanDescription,
  kind: 'session',
  inTransaction: 'refuse',
  run(client, frame, _reply, server) {
    const { session } = client;
    const { router } = server;
    const scan = { ...parseOptions(frame), from: placeOf(frame.text(1), session, server), client, router };
    const { database } = session;
    if (router.ranges(database).shards.length === 0) throw new DbError('CLUSTERDOWN', 'the database has no shard');
    const answer = async (): Promise<ShardAnswer> => {
      const found = await replanned((deadline) => scanOnce(scan, deadline));
      if ('reply' in found) return found;
      const cursor = found.next === null ? '0' : server.cursors.add({ database, from: found.next });
      const reply = encodeReply(2, (writer) => {
        writer.array(2);
        writer.bulk(cursor);
        writer.array(found.keys.length);
        for (const key of found.keys) writer.bulk(key);
      });
      return { reply, sequence: found.sequence };
    };
    answerWith(blockingPlace(client), answer());
  },
};
