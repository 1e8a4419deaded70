import type { DbShardEntry } from '../../../contract/directory.ts';
import { smallInteger, syntaxError } from '../commands/arguments.ts';
import { scanDescription } from '../commands/table.ts';
import { DbError } from '../db-error.ts';
import { encodeCommand, type Frame } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { encodeReply } from '../resp/reply-writer.ts';
import { blockingPlace } from './fan-out.ts';
import type { ScanPlace } from './scan-cursors.ts';
import type { Server, Session, SessionCommand } from './session.ts';

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

interface Step {
  readonly shard: DbShardEntry;
  readonly from: string | null;
  /** The shard after this one. */
  readonly next: DbShardEntry | undefined;
}

/** Where a cursor leads. @throws DbError when it is not one of ours, or no longer */
const stepOf = (cursor: string, session: Session, server: Server): Step => {
  const { shards } = server.router.ranges(session.database);
  const place = cursor === '0' ? null : server.cursors.get(cursor);
  const i = place ? shards.findIndex(({ name }) => name === place.shard) : 0;
  const shard = shards[i];
  if (!shard || place === undefined || (place && place.database !== session.database)) {
    throw new DbError('ERR', 'invalid cursor');
  }
  return { shard, from: place?.from ?? null, next: shards[i + 1] };
};

/** Where the scan goes on after a step; null: it is over. `last` is what QSCAN answered. */
const placeAfter = (step: Step, last: Buffer, database: string | null): ScanPlace | null => {
  if (last[0] === 43) return { database, shard: step.shard.name, from: last.toString('latin1', 1) };
  return step.next ? { database, shard: step.next.name, from: null } : null;
};

/** What QSCAN answered. */
const stepReply = (reply: Buffer): [Buffer, Buffer[]] => {
  const decoded = decodeReply(reply);
  return (decoded === null ? [Buffer.from('-'), []] : decoded.reply) as [Buffer, Buffer[]];
};

/** SCAN walks over the shards in the order of their ranges, a step of one shard at a time. */
export const scanCommand: SessionCommand = {
  ...scanDescription,
  kind: 'session',
  inTransaction: 'refuse',
  run(client, frame, _reply, server) {
    const { session } = client;
    const { count, pattern, type } = parseOptions(frame);
    const step = stepOf(frame.text(1), session, server);
    const from = step.from === null ? '-' : Buffer.from(`+${step.from}`, 'latin1');
    const payload = encodeCommand(['QSCAN', from, String(count), Buffer.from(pattern, 'latin1'), type]);
    const place = blockingPlace(client);
    const answer = (reply: Buffer, sequence: number): void => {
      if (reply[0] === 45) return place.answer(reply, sequence);
      const [last, keys] = stepReply(reply);
      const next = placeAfter(step, last, session.database);
      const cursor = next ? server.cursors.add(next) : '0';
      const write = encodeReply(2, (writer) => {
        writer.array(2);
        writer.bulk(cursor);
        writer.array(keys.length);
        for (const key of keys) writer.bulk(key);
      });
      place.answer(write, sequence);
    };
    server.router.submit(step.shard, { kind: 0, payload, writes: false, waiter: { answer } });
  },
};
