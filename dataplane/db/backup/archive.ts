import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { BackupError, reasonOf } from './backup-error.ts';
import { isPlainPath, type Repository } from './repository/repository.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Snapshots are cut into files of about so many bytes; one chunk may be above it. */
const fileBytes = 16 * 1024 * 1024;
/** No file holds more, whatever a manifest says: it is in memory while it is read. */
const maxFileBytes = 64 * 1024 * 1024;

const size = z.number().int().nonnegative().max(maxFileBytes);

/** A file of a backup as its manifest knows it. */
export const fileRecord = z.object({
  /** Within the folder of the backup. */
  path: z.string().refine(isPlainPath, 'not a path within the backup'),
  /** As it is stored: compressed by zstd. */
  bytes: size,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Before it was compressed. */
  rawBytes: size,
});
export type FileRecord = z.infer<typeof fileRecord>;

/** Room for all of a result at once: zlib's own is a few kilobytes, and a file would be put together from thousands. */
const roomFor = (bytes: number): number => Math.max(1024, Math.min(bytes, maxFileBytes));

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Compresses bytes into a file. @throws BackupError storage, unreachable */
export const storeFile = async (repository: Repository, path: string, raw: Buffer): Promise<FileRecord> => {
  const bytes = await compress(raw, {
    chunkSize: roomFor(raw.length),
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  });
  await repository.write(path, bytes);
  return { path, bytes: bytes.length, sha256: sha256Of(bytes), rawBytes: raw.length };
};

/** What {@link storeFile} was given: nothing is answered before all of it is known to be that. @throws BackupError damaged */
export const loadFile = async (repository: Repository, record: FileRecord): Promise<Buffer> => {
  const damaged = (why: string, cause?: unknown): BackupError =>
    new BackupError('damaged', `${record.path} of ${repository.name} ${why}`, { cause });
  const bytes = await repository.read(record.path, record.bytes);
  if (bytes === null) throw damaged('is missing');
  if (bytes.length !== record.bytes) throw damaged(`is cut short: ${bytes.length} of ${record.bytes} bytes`);
  if (sha256Of(bytes) !== record.sha256) throw damaged('is not the file that was written: its sha256 is another one');
  try {
    const maxOutputLength = Math.max(1, record.rawBytes);
    const raw = await decompress(bytes, { maxOutputLength, chunkSize: roomFor(record.rawBytes) });
    if (raw.length === record.rawBytes) return raw;
  } catch (error) {
    throw damaged(`cannot be uncompressed: ${reasonOf(error)}`, error);
  }
  throw damaged('has another length than the manifest says');
};

/**
 * Passes a stream on, and stores it on its way in files. Those that are done are added to `files`; all are once it has
 * ended. A file and its next are in memory.
 */
export async function* storing(
  chunks: AsyncIterable<Uint8Array>,
  into: { readonly repository: Repository; readonly path: (index: number) => string; readonly files: FileRecord[] },
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  const store = async (): Promise<void> => {
    const raw = Buffer.concat(held);
    held = [];
    bytes = 0;
    into.files.push(await storeFile(into.repository, into.path(into.files.length), raw));
  };
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    yield chunk;
    if (bytes >= fileBytes) await store();
  }
  if (bytes > 0) await store();
}

/** The stream that {@link storing} stored. Whoever reads must not act for good before the end. @throws BackupError damaged */
export async function* loading(repository: Repository, files: readonly FileRecord[]): AsyncGenerator<Uint8Array> {
  for (const file of files) yield loadFile(repository, file);
}
