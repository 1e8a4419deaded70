import { randomFillSync } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * Binary form of a log entry, big-endian:
 *
 *     0  u16  magic 'QE'
 *     2  u8   version
 *     3  u8   kind
 *     4  u32  CRC-32 of bytes 0 to 3 and everything from byte 8
 *     8  8 B  nonce, random
 *    16  12 B id of the entry before it in the log
 *    28  u48  term
 *    34  u48  time, milliseconds since 1970
 *    40  u32  number of operations
 *    44  u8   length of the writer
 *    45  writer, UTF-8; then for each operation u32 length and the bytes
 *
 * Bytes 4 to 15 are the entry's id: checksum and nonce. As each entry names the id of the one before it, an entry says
 * which history it was written for: in another place, or in another log, it does not count.
 */
const magic = 0x5145;
const version = 1;
const headerBytes = 45;
const idBytes = 12;
const largestU48 = 2 ** 48 - 1;
const kinds = ['data', 'term', 'resign'] as const;

/**
 * - data: operations for the state machine; without any it is a barrier
 * - term: its writer is primary from here on
 * - resign: the primary gives its term and its lease up
 */
export type EntryKind = (typeof kinds)[number];

/** Id of "the entry before the first". */
export const genesis = '0'.repeat(idBytes * 2);

export interface EntryHeader {
  readonly kind: EntryKind;
  readonly term: number;
  /** The process that wrote it: pod and incarnation. At most 255 bytes in UTF-8. */
  readonly writer: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Id of the entry before it. */
  readonly previous: string;
}

export interface Entry extends EntryHeader {
  readonly id: string;
  /** Views into the encoded entry. */
  readonly operations: readonly Uint8Array[];
}

/** An entry ready to be appended: again and again if need be, it stays the same entry. */
export interface EncodedEntry {
  readonly id: string;
  readonly bytes: Uint8Array;
}

export type Decoded =
  | { readonly ok: true; readonly entry: Entry }
  /**
   * - foreign: not one of our entries at all; every replica passes it over
   * - newer: a version that this program does not know
   * - corrupt: our mark, but the checksum or the lengths do not fit
   */
  | { readonly ok: false; readonly reason: 'foreign' | 'newer' | 'corrupt'; readonly id: string };

/** Bytes that an operation adds to an entry beside its own. */
export const operationOverhead = 4;
/** Bytes of an entry without operations, at most. */
export const entryOverhead = headerBytes + 255;

let pool = Buffer.alloc(0);
const takeNonce = (into: Buffer): void => {
  if (pool.length < 8) pool = randomFillSync(Buffer.allocUnsafeSlow(4096));
  pool.copy(into, 8, 0, 8);
  pool = pool.subarray(8);
};

const idOf = (bytes: Buffer): string => bytes.toString('hex', 4, 16);

const checksum = (bytes: Buffer): number => crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4)));

/** Encodes an entry with a fresh nonce, in one allocation. Throws RangeError on a header that does not fit. */
export function encodeEntry(header: EntryHeader, operations: readonly Uint8Array[]): EncodedEntry {
  const writerBytes = Buffer.byteLength(header.writer);
  checkHeader(header, writerBytes);
  let size = headerBytes + writerBytes;
  for (const operation of operations) size += operationOverhead + operation.length;
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt16BE(magic, 0);
  bytes.writeUInt8(version, 2);
  bytes.writeUInt8(kinds.indexOf(header.kind), 3);
  takeNonce(bytes);
  bytes.write(header.previous, 16, idBytes, 'hex');
  bytes.writeUIntBE(header.term, 28, 6);
  bytes.writeUIntBE(header.time, 34, 6);
  bytes.writeUInt32BE(operations.length, 40);
  bytes.writeUInt8(writerBytes, 44);
  let at = headerBytes + bytes.write(header.writer, headerBytes, 'utf8');
  for (const operation of operations) {
    at = bytes.writeUInt32BE(operation.length, at);
    bytes.set(operation, at);
    at += operation.length;
  }
  bytes.writeUInt32BE(checksum(bytes), 4);
  return { id: idOf(bytes), bytes };
}

function checkHeader(header: EntryHeader, writerBytes: number): void {
  if (writerBytes > 255) throw new RangeError('the writer of an entry has at most 255 bytes');
  if (header.previous.length !== idBytes * 2) throw new RangeError('the id of the entry before has 12 bytes');
  for (const value of [header.term, header.time]) {
    if (!Number.isInteger(value) || value < 0 || value > largestU48) throw new RangeError(`${value} is not a u48`);
  }
}

/** Reads an entry; never throws, whatever the bytes are. */
export function decodeEntry(encoded: Uint8Array): Decoded {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (bytes.length < headerBytes || bytes.readUInt16BE(0) !== magic) {
    return { ok: false, reason: 'foreign', id: foreignId(bytes) };
  }
  const id = idOf(bytes);
  if (bytes.readUInt8(2) > version) return { ok: false, reason: 'newer', id };
  const kind = kinds[bytes.readUInt8(3)];
  if (kind === undefined || checksum(bytes) !== bytes.readUInt32BE(4)) {
    return { ok: false, reason: 'corrupt', id };
  }
  const body = headerBytes + bytes.readUInt8(44);
  const operations = body <= bytes.length ? readOperations(bytes, body) : null;
  if (operations === null) return { ok: false, reason: 'corrupt', id };
  const entry: Entry = {
    kind,
    id,
    term: bytes.readUIntBE(28, 6),
    time: bytes.readUIntBE(34, 6),
    previous: bytes.toString('hex', 16, 28),
    writer: bytes.toString('utf8', headerBytes, body),
    operations,
  };
  return { ok: true, entry };
}

function readOperations(bytes: Buffer, start: number): Uint8Array[] | null {
  const count = bytes.readUInt32BE(40);
  if (count > (bytes.length - start) / operationOverhead) return null;
  const operations: Uint8Array[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + operationOverhead > bytes.length) return null;
    const end = at + operationOverhead + bytes.readUInt32BE(at);
    if (end > bytes.length) return null;
    operations.push(bytes.subarray(at + operationOverhead, end));
    at = end;
  }
  return at === bytes.length ? operations : null;
}

/** Id of an entry without decoding it: cheap enough to recognise one's own. */
export const peekId = (encoded: Uint8Array): string => {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  return bytes.length < headerBytes || bytes.readUInt16BE(0) !== magic ? foreignId(bytes) : idOf(bytes);
};

/** Bytes that are no entry get an id as well, so that the next entry can name what it follows. */
const foreignId = (bytes: Buffer): string =>
  crc32(bytes)
    .toString(16)
    .padStart(8, '0')
    .padEnd(idBytes * 2, 'f');
