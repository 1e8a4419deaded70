/**
 * What a value is. A string's row holds the string; a collection's holds its head (`head.ts`), its elements lie in a
 * table of their own. Numbers from {@link firstHiddenType} on are records of the database itself.
 */
export const valueType = { string: 0, hash: 1, set: 2, zset: 3, list: 4 } as const;
const typeNames = new Map<number, string>(Object.entries(valueType).map(([name, type]) => [type, name]));

/** The name of a type of {@link valueType}, as Redis has it; undefined for records of the database itself. */
export const typeName = (type: number): string | undefined => typeNames.get(type);

/** Rows of these types are not shown to clients that walk over keys. */
export const firstHiddenType = 200;

/** A value with what belongs to it. */
export interface Row {
  /** One of {@link valueType}. */
  readonly type: number;
  readonly value: Buffer;
  /** When it expires, milliseconds of the primary's clock; 0 = never. */
  readonly expireAt: number;
  /** Of the log entry that wrote it last (`versionAt`); Infinity while that is not committed. WATCH compares it. */
  readonly version: number;
}

/** Record of a row in the store: type (1 byte), version (8), expireAt (8), value. */
const headerBytes = 17;

/** A row as the store keeps it. */
export const encodeRow = (row: Row): Buffer => {
  const bytes = Buffer.allocUnsafe(headerBytes + row.value.length);
  bytes[0] = row.type;
  bytes.writeDoubleBE(row.version, 1);
  bytes.writeDoubleBE(row.expireAt, 9);
  row.value.copy(bytes, headerBytes);
  return bytes;
};

/** The row of a record; its value is a view. */
export const decodeRow = (bytes: Buffer): Row => ({
  type: bytes[0] ?? 0,
  value: bytes.subarray(headerBytes),
  expireAt: bytes.readDoubleBE(9),
  version: bytes.readDoubleBE(1),
});

/** When a record expires; 0 = never. */
export const expiryOf = (bytes: Buffer): number => bytes.readDoubleBE(9);

/** Whether rows of a type have elements. */
export const isCollection = (type: number): boolean => type >= valueType.hash && type <= valueType.list;

/** Number under which the elements of a row lie; 0 = it has none. */
export const generationOf = (row: Row | null | undefined): number =>
  row && isCollection(row.type) ? row.value.readDoubleBE(0) : 0;
