import type { StoredEntry } from '../../log/replicated-log.ts';
import { BackupError } from './backup-error.ts';

/** A part of a log as it lies in a file: per entry u32 length and its bytes. Sequences are contiguous. */

export const encodePart = (entries: readonly StoredEntry[]): Buffer => {
  const pieces: Uint8Array[] = [];
  for (const { bytes } of entries) {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
};

/** The entries of a part that begins at `first`; views. @throws BackupError damaged, when the last one is cut short */
export function* decodePart(bytes: Buffer, first: number): Generator<StoredEntry> {
  let seq = first;
  for (let at = 0; at < bytes.length; seq++) {
    const end = at + 4 > bytes.length ? Infinity : at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new BackupError('damaged', 'a part of the log is cut short');
    yield { seq, bytes: bytes.subarray(at + 4, end) };
    at = end;
  }
}
