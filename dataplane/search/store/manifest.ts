import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { analyzerNames } from '../analysis/analyzer.ts';
import { fieldTypes } from '../mapping/field-mapping.ts';
import { SearchError } from '../search-error.ts';

const analyzer = z.enum(analyzerNames);

const fieldMapping = z.object({
  path: z.string(),
  type: z.enum(fieldTypes),
  analyzer: analyzer.exactOptional(),
  ignoreAbove: z.number().exactOptional(),
  index: z.literal(false).exactOptional(),
  of: z.string().exactOptional(),
});

export const mappingsData = z.object({
  dynamic: z.enum(['true', 'false', 'strict']),
  fields: z.array(fieldMapping).readonly(),
});

/** What is known of an index besides its documents. The same on all its shards. */
export const indexInfo = z.object({
  uuid: z.string(),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
  shards: z.number().int().positive(),
  analyzer,
});
export type IndexInfo = z.infer<typeof indexInfo>;

const manifest = z.object({
  format: z.literal(1),
  /** Place in the log, as the replica core gave it. */
  position: z.unknown(),
  /** Sequence of the last entry that changed the index. */
  changed: z.number(),
  maxSeqNo: z.number(),
  index: indexInfo.nullable(),
  mappings: mappingsData,
  segments: z.array(z.object({ file: z.string(), deletions: z.string().nullable() })),
  /** Versions of deleted documents, oldest first. */
  tombstones: z.array(z.tuple([z.string(), z.number(), z.number()])),
  /** The last writes by their nonce, oldest first. */
  writes: z.array(z.tuple([z.string(), z.number(), z.number(), z.string()])),
});
/** A consistent state of a shard on disk: everything else in the directory that it does not name is garbage. */
export type Manifest = z.infer<typeof manifest>;

const fileName = 'manifest.json';

/** Syncs a directory, so that renames in it survive a loss of power. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces the manifest atomically: after a crash there is the old one or the new one. */
export async function writeManifest(directory: string, value: Manifest): Promise<void> {
  const body = JSON.stringify(value);
  const temporary = join(directory, `${fileName}.new`);
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(`${crc32(body).toString(16).padStart(8, '0')}\n${body}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(directory, fileName));
  await syncDirectory(directory);
}

/** Null: there is none. Throws `damaged` when it cannot be trusted. */
export async function readManifest(directory: string): Promise<Manifest | null> {
  let text: string;
  try {
    text = await readFile(join(directory, fileName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return parseManifest(text, join(directory, fileName));
}

function parseManifest(text: string, path: string): Manifest {
  const body = text.slice(9);
  if (crc32(body).toString(16).padStart(8, '0') !== text.slice(0, 8)) {
    throw new SearchError('damaged', 'corrupt_index_exception', `${path} fails its checksum`);
  }
  return manifest.parse(JSON.parse(body));
}
