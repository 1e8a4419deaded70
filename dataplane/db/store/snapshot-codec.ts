import { maxSnapshotChunkBytes } from '../../replica/state-machine.ts';
import type { FileReader } from './file.ts';
import { decodeRow, generationOf, type Row } from './row.ts';

/**
 * A snapshot is a stream that chunks cut anywhere. It begins with 0xff and its version, then comes one record after
 * another: u8 kind, u16 name length, name, u32 value length, value.
 * - generation: the value is the highest generation that was given away (f64)
 * - row: name = key, value = the row as the file stores it
 * - note: a record of the shard itself
 * - element: name = element's name, value = its value; it belongs to the collection of the row before it
 *
 * Version 1 had rows only, without the leading bytes and without kinds; it is read as well.
 */
const marker = 0xff;
const version = 2;
const kind = { generation: 1, row: 2, element: 3, note: 4 } as const;

/** One thing that a snapshot says. */
export type SnapshotRecord =
  | { readonly kind: 'generation'; readonly generation: number }
  | { readonly kind: 'row'; readonly key: string; readonly row: Row }
  | { readonly kind: 'note'; readonly name: string; readonly value: Buffer }
  | { readonly kind: 'element'; readonly generation: number; readonly name: string; readonly value: Buffer };

/** Chunks of at most {@link maxSnapshotChunkBytes} that hold all that a reader sees. */
export async function* writeSnapshot(reader: FileReader): AsyncGenerator<Uint8Array> {
  let chunk = Buffer.allocUnsafeSlow(maxSnapshotChunkBytes);
  let length = 0;
  for (const record of records(reader)) {
    let rest = record;
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

function* records(reader: FileReader): Generator<Buffer> {
  const { state, generation } = reader;
  const highest = Buffer.alloc(8);
  highest.writeDoubleBE(generation);
  yield Buffer.from([marker, version]);
  yield encode(kind.generation, '', highest);
  for (const { name, value } of reader.notes()) yield encode(kind.note, name, value);
  for (const { key, record } of state.records({})) {
    yield encode(kind.row, key, record);
    const own = generationOf(decodeRow(record));
    if (own === 0) continue;
    for (const { name, value } of state.elements(own, {})) yield encode(kind.element, name, value);
  }
}

const encode = (of: number, name: string, value: Buffer): Buffer => {
  const bytes = Buffer.allocUnsafe(7 + name.length + value.length);
  bytes[0] = of;
  bytes.writeUInt16BE(name.length, 1);
  bytes.write(name, 3, 'latin1');
  bytes.writeUInt32BE(value.length, 3 + name.length);
  value.copy(bytes, 7 + name.length);
  return bytes;
};

interface Found {
  readonly kind: number;
  readonly name: string;
  readonly value: Buffer;
  readonly next: number;
}

/** The record at `at`; null when bytes are missing. Version 1 has no kind before the name. */
const find = (bytes: Buffer, at: number, kinds: boolean): Found | null => {
  const nameAt = at + (kinds ? 3 : 2);
  if (nameAt > bytes.length) return null;
  const valueAt = nameAt + bytes.readUInt16BE(nameAt - 2) + 4;
  if (valueAt > bytes.length) return null;
  const next = valueAt + bytes.readUInt32BE(valueAt - 4);
  if (next > bytes.length) return null;
  const found = kinds ? (bytes[at] ?? 0) : kind.row;
  return {
    kind: found,
    name: bytes.toString('latin1', nameAt, valueAt - 4),
    value: bytes.subarray(valueAt, next),
    next,
  };
};

/** Reads the leading bytes: where records begin, and whether they have kinds. Null when bytes are missing. */
const findStart = (bytes: Buffer): { at: number; kinds: boolean } | null => {
  if (bytes.length < 2) return null;
  if (bytes[0] !== marker) return { at: 0, kinds: false };
  if (bytes[1] !== version) throw new RangeError(`a snapshot has version ${bytes[1]}; this one reads up to ${version}`);
  return { at: 2, kinds: true };
};

const meaning = (found: Found, generation: number): SnapshotRecord => {
  if (found.kind === kind.row) return { kind: 'row', key: found.name, row: decodeRow(found.value) };
  if (found.kind === kind.generation) return { kind: 'generation', generation: found.value.readDoubleBE(0) };
  if (found.kind === kind.note) return { kind: 'note', name: found.name, value: Buffer.from(found.value) };
  if (found.kind !== kind.element || generation === 0)
    throw new RangeError(`a snapshot holds a record of kind ${found.kind}`);
  return { kind: 'element', generation, name: found.name, value: found.value };
};

/**
 * The records in chunks that {@link writeSnapshot} made, however they are cut.
 * @throws RangeError when the last record is cut short, or the snapshot is not one of a known version
 */
export async function* readSnapshot(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SnapshotRecord> {
  let held: Buffer = Buffer.alloc(0);
  let start: { at: number; kinds: boolean } | null = null;
  let generation = 0;
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    let at = 0;
    if (start === null) {
      start = findStart(held);
      if (start === null) continue;
      ({ at } = start);
    }
    for (let found = find(held, at, start.kinds); found !== null; found = find(held, at, start.kinds)) {
      const record = meaning(found, generation);
      if (record.kind === 'row') generation = generationOf(record.row);
      yield record;
      at = found.next;
    }
    held = held.subarray(at);
  }
  if (held.length > 0) throw new RangeError('a snapshot is cut short');
}
