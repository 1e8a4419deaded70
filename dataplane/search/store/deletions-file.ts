import { open, readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { SearchError } from '../search-error.ts';

/** Writes the numbers of deleted documents with their CRC-32, and syncs. */
export async function writeDeletions(path: string, docs: readonly number[]): Promise<void> {
  const body = Buffer.from(Uint32Array.from(docs).buffer);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(crc32(body));
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([head, body]));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Throws `damaged` when the checksum does not fit. */
export async function readDeletions(path: string): Promise<number[]> {
  const bytes = await readFile(path);
  const body = bytes.subarray(4);
  if (bytes.length < 4 || body.length % 4 !== 0 || crc32(body) !== bytes.readUInt32LE(0)) {
    throw new SearchError('damaged', 'corrupt_index_exception', `${path} fails its checksum`);
  }
  const docs: number[] = [];
  for (let at = 0; at < body.length; at += 4) docs.push(body.readUInt32LE(at));
  return docs;
}
