/** The row value of a collection. */
export interface Head {
  /** Under which its elements lie: a number that no other collection of the shard has or had. */
  readonly generation: number;
  /** Number of elements, as clients count them. */
  readonly count: number;
  /** Lists: place of the first element; others: 0. */
  readonly first: number;
}

/** generation (8), count (8), first (8). */
const headBytes = 24;

export const encodeHead = (head: Head): Buffer => {
  const bytes = Buffer.allocUnsafe(headBytes);
  bytes.writeDoubleBE(head.generation, 0);
  bytes.writeDoubleBE(head.count, 8);
  bytes.writeDoubleBE(head.first, 16);
  return bytes;
};

export const decodeHead = (bytes: Buffer): Head => ({
  generation: bytes.readDoubleBE(0),
  count: bytes.readDoubleBE(8),
  first: bytes.readDoubleBE(16),
});
