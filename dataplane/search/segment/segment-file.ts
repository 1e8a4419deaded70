import { closeSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { SearchError } from '../search-error.ts';
import { type FieldMeta, type SegmentData, sectionNames } from './segment-data.ts';
import { Segment, type StoredBytes } from './segment.ts';

/**
 * A segment's file. Written once, never changed.
 *
 * ```
 * "QSEG0002" | sections, each at a multiple of 8 | directory as JSON | its length and CRC-32 (4 + 4 bytes) | "QSEG0002"
 * ```
 * The directory has name, place, length and CRC-32 of each section; all are checked when the file is opened. Sources stay in
 * the file and are read when needed; the rest is held in memory.
 */
const magic = Buffer.from('QSEG0002');
const trailerBytes = 16;

interface SectionEntry {
  readonly name: string;
  readonly at: number;
  readonly length: number;
  readonly crc: number;
}

interface FileDirectory {
  readonly docCount: number;
  readonly fields: readonly FieldMeta[];
  readonly sections: readonly SectionEntry[];
}

const damaged = (path: string, what: string): SearchError =>
  new SearchError('damaged', 'corrupt_index_exception', `segment ${path}: ${what}`);

const aligned = (at: number): number => (at + 7) & ~7;

async function writeAt(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.length - done, 1 << 24), at + done);
    done += bytesWritten;
  }
}

/** Writes a segment to a new file and syncs it. */
export async function writeSegmentFile(path: string, data: SegmentData): Promise<void> {
  const file = await open(path, 'w');
  try {
    await writeAt(file, magic, 0);
    let at: number = magic.length;
    const sections: SectionEntry[] = [];
    for (const [name, bytes] of data.sections) {
      at = aligned(at);
      sections.push({ name, at, length: bytes.length, crc: crc32(bytes) });
      await writeAt(file, bytes, at);
      at += bytes.length;
    }
    const directory = Buffer.from(JSON.stringify({ docCount: data.docCount, fields: data.fields, sections }));
    const trailer = Buffer.alloc(trailerBytes);
    trailer.writeUInt32LE(directory.length, 0);
    trailer.writeUInt32LE(crc32(directory), 4);
    magic.copy(trailer, 8);
    await writeAt(file, Buffer.concat([directory, trailer]), at);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes;
}

async function readDirectory(file: FileHandle, path: string): Promise<FileDirectory> {
  const { size } = await file.stat();
  if (size < trailerBytes + magic.length) throw damaged(path, 'too short');
  const trailer = Buffer.from(await readAt(file, size - trailerBytes, trailerBytes));
  const length = trailer.readUInt32LE(0);
  if (!trailer.subarray(8).equals(magic) || length > size - trailerBytes) throw damaged(path, 'has no trailer');
  const directory = await readAt(file, size - trailerBytes - length, length);
  if (crc32(directory) !== trailer.readUInt32LE(4)) throw damaged(path, 'directory fails its checksum');
  return JSON.parse(Buffer.from(directory).toString()) as FileDirectory;
}

/** Reads from an open file; the descriptor is closed when the reader is garbage. */
class FileBytes implements StoredBytes {
  static readonly #closer = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));
  readonly length: number;
  readonly #descriptor: number;
  readonly #at: number;

  constructor(path: string, at: number, length: number) {
    this.#descriptor = openSync(path, 'r');
    this.#at = at;
    this.length = length;
    FileBytes.#closer.register(this, this.#descriptor);
  }

  read(from: number, to: number): Uint8Array {
    const bytes = new Uint8Array(to - from);
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.#descriptor, bytes, done, bytes.length - done, this.#at + from + done);
      if (count === 0) throw new SearchError('damaged', 'corrupt_index_exception', 'a segment file became shorter');
      done += count;
    }
    return bytes;
  }
}

const verifyChunk = 1 << 20;

async function verifyStored(file: FileHandle, path: string, section: SectionEntry): Promise<void> {
  let crc = 0;
  for (let done = 0; done < section.length; done += verifyChunk) {
    crc = crc32(await readAt(file, section.at + done, Math.min(verifyChunk, section.length - done)), crc);
  }
  if (crc !== section.crc) throw damaged(path, 'sources fail their checksum');
}

/** Opens a segment; every byte is checked. Throws `damaged`. */
export async function openSegmentFile(path: string): Promise<Segment> {
  const file = await open(path, 'r');
  try {
    const directory = await readDirectory(file, path);
    const sections = new Map<string, Uint8Array>();
    let stored: SectionEntry = { name: sectionNames.stored, at: 0, length: 0, crc: 0 };
    for (const section of directory.sections) {
      if (section.name === sectionNames.stored) {
        stored = section;
        await verifyStored(file, path, section);
        continue;
      }
      const bytes = await readAt(file, section.at, section.length);
      if (crc32(bytes) !== section.crc) throw damaged(path, `section ${section.name} fails its checksum`);
      sections.set(section.name, bytes);
    }
    const data = { docCount: directory.docCount, fields: directory.fields, sections };
    return new Segment(data, new FileBytes(path, stored.at, stored.length));
  } finally {
    await file.close();
  }
}

/** Where the sources of a file that was just written are read from. */
export async function storedBytesOf(path: string): Promise<StoredBytes> {
  const file = await open(path, 'r');
  try {
    const directory = await readDirectory(file, path);
    const stored = directory.sections.find(({ name }) => name === sectionNames.stored);
    return new FileBytes(path, stored?.at ?? 0, stored?.length ?? 0);
  } finally {
    await file.close();
  }
}
