import { maxSnapshotChunkBytes } from '../../replica/state-machine.ts';
import { decodeRow, type Row } from './row.ts';

/**
 * A snapshot is a stream of records: u16 key length, key, u32 record length, record. Chunks cut it anywhere.
 * The highest bit of the key length marks a note.
 */
const noteBit = 0x8000;

/** A row, or a note, as it is stored. */
export interface SnapshotRecord {
  readonly key: string;
  readonly record: Buffer;
  readonly note?: boolean;
}

/** Chunks of at most {@link maxSnapshotChunkBytes} that hold all records. */
export async function* writeRecords(records: Iterable<SnapshotRecord>): AsyncGenerator<Uint8Array> {
  let chunk = Buffer.allocUnsafeSlow(maxSnapshotChunkBytes);
  let length = 0;
  for (const each of records) {
    let rest = encodeRecord(each);
    while (rest.length > 0) {
      const copied = rest.copy(chunk, length);
      length += copied;
      rest = rest.subarray(copied);
      if (length < chunk.length) continue;
      yield chunk;
      chunk = Buffer.allocUnsafeSlow(maxSnapshotChunkBytes);
      length = 0;
    }
  }
  if (length > 0) yield chunk.subarray(0, length);
}

const encodeRecord = ({ key, record, note }: SnapshotRecord): Buffer => {
  const head = Buffer.allocUnsafe(6 + key.length);
  head.writeUInt16BE(key.length | (note === true ? noteBit : 0), 0);
  head.write(key, 2, 'latin1');
  head.writeUInt32BE(record.length, 2 + key.length);
  return Buffer.concat([head, record]);
};

/** What a record is: a row, or a note. */
export type Restored = { readonly key: string; readonly row: Row } | { readonly key: string; readonly note: Buffer };

interface Found {
  readonly what: Restored;
  readonly next: number;
}

const findRecord = (bytes: Buffer, at: number): Found | null => {
  if (at + 2 > bytes.length) return null;
  const length = bytes.readUInt16BE(at);
  const recordAt = at + 2 + (length & ~noteBit);
  if (recordAt + 4 > bytes.length) return null;
  const end = recordAt + 4 + bytes.readUInt32BE(recordAt);
  if (end > bytes.length) return null;
  const key = bytes.toString('latin1', at + 2, recordAt);
  const record = bytes.subarray(recordAt + 4, end);
  const what = (length & noteBit) === 0 ? { key, row: decodeRow(record) } : { key, note: Buffer.from(record) };
  return { what, next: end };
};

/**
 * The rows and notes in chunks that {@link writeRecords} made, however they are cut.
 * @throws RangeError when the last record is cut short
 */
export async function* readRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Restored> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    let at = 0;
    for (let found = findRecord(held, at); found !== null; found = findRecord(held, at)) {
      yield found.what;
      at = found.next;
    }
    held = held.subarray(at);
  }
  if (held.length > 0) throw new RangeError('a snapshot is cut short');
}
