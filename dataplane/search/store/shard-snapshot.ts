import { open, rename, stat } from 'node:fs/promises';
import { maxSnapshotChunkBytes, type Position, type Snapshot } from '../../replica/state-machine.ts';
import { SearchError } from '../search-error.ts';
import type { IndexStore } from './index-store.ts';
import type { Manifest } from './manifest.ts';
import type { ShardDirectory } from './shard-directory.ts';

/**
 * A snapshot as a stream: length of the header (4 bytes), header as JSON, then the files one after another.
 */
interface Header {
  readonly manifest: Manifest;
  readonly files: readonly { readonly name: string; readonly length: number }[];
}

const largestHeader = 64 * 1024 * 1024;
const fileName = /^[0-9a-f-]{36}\.(?:seg|del)$/;

const broken = (what: string): SearchError =>
  new SearchError('damaged', 'corrupt_index_exception', `snapshot: ${what}`);

/** The manifest on disk and its files, held until released. */
export async function takeSnapshot(directory: ShardDirectory): Promise<Snapshot> {
  const { manifest } = directory;
  if (manifest === null) throw broken('there is nothing on disk yet');
  const pinned = directory.pin();
  try {
    const files: { name: string; length: number }[] = [];
    for (const name of pinned.files) files.push({ name, length: (await stat(directory.file(name))).size });
    return {
      position: manifest.position as Position,
      chunks: chunksOf(directory, { manifest, files }),
      release: async () => pinned.release(),
    };
  } catch (error) {
    pinned.release();
    throw error;
  }
}

async function* chunksOf(directory: ShardDirectory, header: Header): AsyncGenerator<Uint8Array> {
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(json.length);
  const whole = Buffer.concat([head, json]);
  for (let at = 0; at < whole.length; at += maxSnapshotChunkBytes) yield whole.subarray(at, at + maxSnapshotChunkBytes);
  for (const file of header.files) yield* fileChunks(directory, file);
}

async function* fileChunks(
  directory: ShardDirectory,
  { name, length }: Header['files'][number],
): AsyncGenerator<Uint8Array> {
  const file = await open(directory.file(name), 'r');
  try {
    for (let at = 0; at < length;) {
      const chunk = Buffer.alloc(Math.min(maxSnapshotChunkBytes, length - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw broken(`file ${name} became shorter`);
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** Reads exact numbers of bytes from a stream of chunks. */
class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Some bytes, at most `most`. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) throw broken('ends too early');
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0;) {
      const part = await this.some(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }
}

async function receiveFile(
  directory: ShardDirectory,
  reader: ChunkReader,
  file: Header['files'][number],
): Promise<void> {
  if (!fileName.test(file.name)) throw broken('has a file with a strange name');
  const path = directory.file(file.name);
  const handle = await open(`${path}.part`, 'w');
  try {
    for (let left = file.length; left > 0;) {
      const part = await reader.some(left);
      await handle.writeFile(part);
      left -= part.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.part`, path);
}

/** Brings a snapshot's files into the directory, checks them, and makes them the shard's state. */
export async function restoreSnapshot(
  directory: ShardDirectory,
  position: Position,
  chunks: AsyncIterable<Uint8Array>,
): Promise<IndexStore> {
  const reader = new ChunkReader(chunks);
  const length = (await reader.exactly(4)).readUInt32LE(0);
  if (length > largestHeader) throw broken('has an absurd header');
  const header = JSON.parse((await reader.exactly(length)).toString()) as Header;
  for (const file of header.files) await receiveFile(directory, reader, file);
  return directory.adopt({ ...header.manifest, position });
}
