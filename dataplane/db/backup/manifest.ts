import { createHash } from 'node:crypto';
import { z } from 'zod';
import { fileRecord } from './archive.ts';
import { BackupError } from './backup-error.ts';
import { folderOf, type Repository } from './repository/repository.ts';

/**
 * A backup is a folder `<namespace>/<database>/<id>/`, ids in the order of time:
 *
 *     manifest.json                    written last: without it there is no backup. Replaced whole when the log was gone on with
 *     <shard>/snapshot-<n>.zst         the shard at one position of its log (`store/snapshot-codec.ts`), cut into files
 *     <shard>/log-<first>-<run>.zst    the log from there on (`log-part.ts`); a run never writes over what another one wrote
 *
 * In a round the ends of all logs are read twice, one after the other. What can be restored ends with the first, `ceiling`;
 * what lies behind it is only looked at: whatever happened before an entry below a ceiling is below a `last` (see
 * `consistency/cut.ts`). In the same way `settled` and `floor` are read once all snapshots have begun: whatever a
 * snapshot contains was caused below `settled`, and what is below `settled` below `floor`.
 */
const count = z.number().int().nonnegative();
const sequence = z.number().int().positive();
const label = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'not a DNS label');
/** As in the spec of a DBShard. */
const databaseName = z.string().regex(/^[a-z0-9]([-_a-z0-9]{0,61}[a-z0-9])?$/, 'not the name of a database');

const positionRecord = z.object({ seq: sequence, term: count, log: z.string(), chain: z.string(), time: count });

export const logPart = z.object({ first: sequence, last: sequence, file: fileRecord });
export type LogPart = z.infer<typeof logPart>;

const round = z.object({
  /** Restorable up to this moment of the database's clock, milliseconds since 1970. */
  through: count,
  shards: z.record(z.string(), z.object({ ceiling: sequence, last: positionRecord, parts: z.array(logPart) })),
});
export type Round = z.infer<typeof round>;

const openTransaction = z.object({
  id: z.string(),
  state: z.enum(['prepared', 'committed']),
  anchor: z.string(),
  participants: z.array(z.string()),
});
/** A transaction over several shards about which a shard holds a note. */
export type OpenTransaction = z.infer<typeof openTransaction>;

const content = z.object({ hash: z.string(), keys: count });

const shardRecord = z.object({
  name: label,
  /** Keys as text, as in the spec of a DBShard. */
  start: z.string(),
  end: z.string(),
  /** Of its range. */
  epoch: count,
  position: positionRecord,
  snapshot: z.array(fileRecord),
  /** Of what clients see (`content-hash.ts`) in the snapshot. */
  content,
  /** In the snapshot. */
  open: z.array(openTransaction),
  settled: sequence,
  floor: sequence,
});
export type ShardRecord = z.infer<typeof shardRecord>;

export const newestFormat = 1;

const idForm = /^[0-9TZ]+-[0-9a-f]+$/;

const manifest = z.object({
  format: z.literal(newestFormat),
  id: z.string().regex(idForm),
  namespace: label,
  database: databaseName,
  /** RFC 3339. */
  began: z.string(),
  /** Restorable from this moment of the database's clock on, milliseconds since 1970: the floors are at or before it. */
  from: count,
  shards: z.array(shardRecord).min(1),
  rounds: z.array(round).min(1),
});
export type Manifest = z.infer<typeof manifest>;

const maxBytes = 64 * 1024 * 1024;
const name = 'manifest.json';
const sealed = z.object({ sha256: z.string(), content: z.unknown() });
const anyFormat = z.object({ format: z.number() });

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

export const encodeManifest = (value: Manifest): Buffer =>
  Buffer.from(`${JSON.stringify({ sha256: hashOf(value), content: value })}\n`);

const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
};

/** Whether every round tells of every shard, and goes on where the one before it ended. */
const fitsTogether = ({ shards, rounds }: Manifest): boolean =>
  shards.every(({ name, position, floor }) => {
    let last = position.seq;
    for (const round of rounds) {
      const own = round.shards[name];
      if (!own) return false;
      for (const part of own.parts) {
        if (part.first !== last + 1 || part.last < part.first) return false;
        last = part.last;
      }
      if (own.last.seq !== last || own.ceiling > last || own.ceiling < floor) return false;
    }
    return true;
  });

/** @param where for people @throws BackupError damaged, newer */
export const decodeManifest = (bytes: Buffer, where: string): Manifest => {
  const found = sealed.safeParse(parseJson(bytes));
  if (!found.success || hashOf(found.data.content) !== found.data.sha256) {
    throw new BackupError('damaged', `${where} is damaged, or was changed`);
  }
  const format = anyFormat.safeParse(found.data.content).data?.format ?? 0;
  if (format > newestFormat) {
    throw new BackupError(
      'newer',
      `${where} has format ${format}; this program reads up to ${newestFormat}: use a newer one`,
    );
  }
  const parsed = manifest.safeParse(found.data.content);
  if (parsed.success && fitsTogether(parsed.data)) return parsed.data;
  const issue = parsed.error?.issues[0];
  throw new BackupError(
    'damaged',
    `${where} makes no sense: ${issue ? `${issue.path.join('.')}: ${issue.message}` : 'its parts do not follow one another'}`,
  );
};

/** A manifest, and the folder that it describes. */
export interface Backup {
  readonly manifest: Manifest;
  readonly files: Repository;
}

export const backupFolder = ({ namespace, database, id }: Pick<Manifest, 'namespace' | 'database' | 'id'>): string =>
  `${namespace}/${database}/${id}`;

/** @throws BackupError storage, unreachable */
export const writeManifest = ({ manifest, files }: Backup): Promise<void> =>
  files.write(name, encodeManifest(manifest));

/** @throws BackupError damaged, newer, storage, unreachable */
export const readBackup = async (repository: Repository, folder: string): Promise<Backup> => {
  const files = folderOf(repository, folder);
  const where = `${name} of ${files.name}`;
  const bytes = await files.read(name, maxBytes);
  if (bytes === null) throw new BackupError('damaged', `${where} is missing`);
  const found = decodeManifest(bytes, where);
  if (backupFolder(found) === folder) return { manifest: found, files };
  throw new BackupError('damaged', `${where} is the one of another backup, ${backupFolder(found)}`);
};

/** What a place holds, in the order of its names: that of time, for one database. */
export interface Folders {
  /** Of backups. */
  readonly finished: readonly string[];
  /** Without a manifest: a backup is being made there, or was not finished. */
  readonly unfinished: readonly string[];
}

/** @param of `namespace/database`; left out: all databases @throws BackupError storage, unreachable */
export const listFolders = async (repository: Repository, of = ''): Promise<Folders> => {
  const finished = new Set<string>();
  const all = new Set<string>();
  for (const path of await repository.list(of)) {
    const parts = path.split('/');
    const folder = parts.slice(0, 3).join('/');
    if (parts.length < 4 || !idForm.test(parts[2] ?? '')) continue;
    all.add(folder);
    if (parts.length === 4 && parts[3] === name) finished.add(folder);
  }
  return { finished: [...finished], unfinished: [...all].filter((folder) => !finished.has(folder)) };
};

/** Folders of finished backups. @param of `namespace/database`; left out: all databases @throws BackupError */
export const listBackups = async (repository: Repository, of = ''): Promise<readonly string[]> =>
  (await listFolders(repository, of)).finished;

/** When a backup was begun, by its folder, milliseconds since 1970; 0 when that cannot be told. */
export const timeOf = (folder: string): number => {
  const time = folder
    .split('/')
    .at(-1)
    ?.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/, '$1-$2-$3T$4:$5:$6Z');
  return Date.parse(time ?? '') || 0;
};

/** Removes a backup: the manifest first, so that what is half gone is not taken for a backup. */
export const removeBackup = async (repository: Repository, folder: string): Promise<void> => {
  await repository.remove(`${folder}/${name}`);
  await repository.removeAll(folder);
};

/** Moments that a backup can be restored to, milliseconds since 1970, both inclusive. */
export const momentsOf = ({ from, rounds }: Manifest): { from: number; to: number } => ({
  from,
  to: rounds.at(-1)?.through ?? 0,
});

/** All files of a backup besides its manifest. */
export const filesOf = ({ shards, rounds }: Manifest) => [
  ...shards.flatMap(({ snapshot }) => snapshot),
  ...rounds.flatMap(({ shards }) => Object.values(shards).flatMap(({ parts }) => parts.map(({ file }) => file))),
];
