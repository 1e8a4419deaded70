import { maxSnapshotChunkBytes } from '../../replica/state-machine.ts';
import { decodeRow, type Row } from './row.ts';

/** A snapshot is a stream of records: u16 key length, key, u32 record length, record. Chunks cut it anywhere. */

/** Chunks of at most {@link maxSnapshotChunkBytes} that hold all records. */
export async function* writeRecords(records: Iterable<{ key: string; record: Buffer }>): AsyncGenerator<Uint8Array> {
  let chunk = Buffer.allocUnsafeSlow(maxSnapshotChunkBytes);
  let length = 0;
  for (const { key, record } of records) {
    let rest = encodeRecord(key, record);
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

const encodeRecord = (key: string, record: Buffer): Buffer => {
  const head = Buffer.allocUnsafe(6 + key.length);
  head.writeUInt16BE(key.length, 0);
  head.write(key, 2, 'latin1');
  head.writeUInt32BE(record.length, 2 + key.length);
  return Buffer.concat([head, record]);
};

interface Found {
  readonly key: string;
  readonly row: Row;
  readonly next: number;
}

const findRecord = (bytes: Buffer, at: number): Found | null => {
  if (at + 2 > bytes.length) return null;
  const recordAt = at + 2 + bytes.readUInt16BE(at);
  if (recordAt + 4 > bytes.length) return null;
  const end = recordAt + 4 + bytes.readUInt32BE(recordAt);
  if (end > bytes.length) return null;
  return {
    key: bytes.toString('latin1', at + 2, recordAt),
    row: decodeRow(bytes.subarray(recordAt + 4, end)),
    next: end,
  };
};

/**
 * The rows in chunks that {@link writeRecords} made, however they are cut.
 * @throws RangeError when the last record is cut short
 */
export async function* readRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ key: string; row: Row }> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    let at = 0;
    for (let found = findRecord(held, at); found !== null; found = findRecord(held, at)) {
      yield found;
      at = found.next;
    }
    held = held.subarray(at);
  }
  if (held.length > 0) throw new RangeError('a snapshot is cut short');
}
