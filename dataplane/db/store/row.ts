/** A value with what belongs to it. */
export interface Row {
  readonly value: Buffer;
  /** When it expires, milliseconds of the primary's clock; 0 = never. */
  readonly expireAt: number;
  /** Sequence of the log entry that wrote it last; Infinity while that entry is not committed. WATCH compares it. */
  readonly version: number;
}

/** Record of a row in the store: type (1 byte, 0 = string), version (8), expireAt (8), value. */
const headerBytes = 17;

/** A row as the store keeps it. */
export const encodeRow = (row: Row): Buffer => {
  const bytes = Buffer.allocUnsafe(headerBytes + row.value.length);
  bytes[0] = 0;
  bytes.writeDoubleBE(row.version, 1);
  bytes.writeDoubleBE(row.expireAt, 9);
  row.value.copy(bytes, headerBytes);
  return bytes;
};

/** The row of a record; its value is a view. */
export const decodeRow = (bytes: Buffer): Row => ({
  value: bytes.subarray(headerBytes),
  expireAt: bytes.readDoubleBE(9),
  version: bytes.readDoubleBE(1),
});

/** When a record expires; 0 = never. */
export const expiryOf = (bytes: Buffer): number => bytes.readDoubleBE(9);
