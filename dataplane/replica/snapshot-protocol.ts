import { crc32 } from 'node:zlib';
import { z } from 'zod';

/**
 * How a snapshot travels: requests on the peer's snapshot subject. `open` answers JSON; `chunk` answers one frame, in
 * order of `index` (the last one may be asked for again); `close` frees the peer's snapshot early.
 *
 * A frame: u8 kind (0 chunk, 1 end, 2 error), u32 CRC-32, then the bytes. Of a chunk the checksum is its own; of the end
 * it is the one of all chunks together; the bytes of an error are its message.
 */
export const snapshotRequest = z.discriminatedUnion('op', [
  z.object({ op: z.literal('open'), set: z.string() }),
  z.object({ op: z.literal('chunk'), id: z.string(), index: z.number().int().nonnegative() }),
  z.object({ op: z.literal('close'), id: z.string() }),
]);
export type SnapshotRequest = z.infer<typeof snapshotRequest>;

const positionSchema = z.object({
  seq: z.number().int().positive(),
  term: z.number().int().nonnegative(),
  log: z.string(),
  chain: z.string(),
  time: z.number().int().nonnegative(),
});

export const snapshotOpened = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), id: z.string(), position: positionSchema }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type SnapshotOpened = z.infer<typeof snapshotOpened>;

export type SnapshotFrame =
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly checksum: number }
  | { readonly kind: 'error'; readonly message: string };

const kinds = ['chunk', 'end', 'error'] as const;
const headerBytes = 5;

export function encodeFrame(frame: SnapshotFrame): Uint8Array {
  const body = frame.kind === 'chunk' ? frame.bytes : Buffer.from(frame.kind === 'error' ? frame.message : '');
  const encoded = Buffer.allocUnsafe(headerBytes + body.length);
  encoded.writeUInt8(kinds.indexOf(frame.kind), 0);
  encoded.writeUInt32BE(frame.kind === 'end' ? frame.checksum : crc32(body), 1);
  encoded.set(body, headerBytes);
  return encoded;
}

/** Null: damaged. */
export function decodeFrame(encoded: Uint8Array): SnapshotFrame | null {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (bytes.length < headerBytes) return null;
  const kind = kinds[bytes.readUInt8(0)];
  const checksum = bytes.readUInt32BE(1);
  const body = bytes.subarray(headerBytes);
  if (kind === 'end') return { kind, checksum };
  if (kind === undefined || crc32(body) !== checksum) return null;
  return kind === 'chunk' ? { kind, bytes: body } : { kind, message: body.toString() };
}
