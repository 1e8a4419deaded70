import { noKeys, type ShardCommand } from '../commands/command.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { NamedRow, Range, ReadState } from '../store/reading.ts';
import { typeName, valueType, type Row } from '../store/row.ts';

/** Bytes that one QROWS answers, about. */
const maxRowsBytes = 1024 * 1024;

const isLive = (row: Row, now: number): boolean => row.expireAt === 0 || row.expireAt > now;

/** version, type, value; the value of a collection is nothing here. */
const writeRow = (row: Row, reply: ReplyWriter): void => {
  reply.integer(row.version);
  reply.bulk(typeName(row.type) ?? 'unknown');
  if (row.type === valueType.string) reply.bulk(row.value);
  else reply.nil();
};

/** One state of a shard, and the part of a range that belongs to it. */
export interface OwnRows extends Pick<ReadState, 'get' | 'rows'> {
  own(range: Range): Range;
}

/** A read of one state of a shard, whichever it is. */
interface StateRead {
  readonly name: string;
  readonly arity: number;
  readonly summary: string;
  readonly read: (state: OwnRows, frame: Frame, reply: ReplyWriter, now: number) => void;
}

const rowsOf = function* (state: OwnRows, frame: Frame, now: number): Iterable<NamedRow> {
  const [from, to] = [frame.key(1), frame.key(2)];
  let left = Number(frame.text(3));
  let bytes = 0;
  const reverse = frame.text(4) === '1';
  for (const named of state.rows(state.own({ from, ...(to === '' ? {} : { to }), reverse }))) {
    if (!isLive(named.row, now)) continue;
    if (left-- === 0 || bytes > maxRowsBytes) return;
    bytes += named.key.length + named.row.value.length;
    yield named;
  }
};

const reads: readonly StateRead[] = [
  {
    name: 'QREAD',
    arity: -2,
    summary: 'QREAD key …: for each [version, type, value], or nothing.',
    read(state, frame, reply, now) {
      reply.array(frame.count - 1);
      for (let i = 1; i < frame.count; i++) {
        const row = state.get(frame.key(i));
        if (!row || !isLive(row, now)) reply.nil();
        else {
          reply.array(3);
          writeRow(row, reply);
        }
      }
    },
  },
  {
    name: 'QROWS',
    arity: 5,
    summary: 'QROWS start end limit 0|1: [key, version, type, value] of the keys of a range, backwards with 1.',
    read(state, frame, reply, now) {
      const rows = [...rowsOf(state, frame, now)];
      reply.array(rows.length);
      for (const { key, row } of rows) {
        reply.array(4);
        reply.bulk(Buffer.from(key, 'latin1'));
        writeRow(row, reply);
      }
    },
  },
];

/** What the NATS API reads. On a primary it sees all that was committed before; a stale read sees some earlier state. */
export const readCommands: readonly ShardCommand[] = reads.map(({ name, arity, summary, read }) => ({
  kind: 'shard',
  combine: 'join',
  source: 'rows',
  name,
  arity,
  flags: ['readonly'],
  keys: noKeys,
  group: 'server',
  summary,
  read,
}));

/** The same, by name, for any state. */
export const stateReads: ReadonlyMap<string, StateRead['read']> = new Map(reads.map(({ name, read }) => [name, read]));
