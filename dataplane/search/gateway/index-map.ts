import { crc32 } from 'node:zlib';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { AnalyzerName } from '../analysis/analyzer.ts';

/** The shards of one index, as the directory has them. */
export interface IndexRoute {
  readonly index: string;
  readonly of: number;
  readonly analyzer: AnalyzerName;
  /** By ordinal; undefined where no SearchShard provides it. */
  readonly shards: readonly (SearchShardEntry | undefined)[];
  /** Why the shards do not fit together; null: they do. */
  readonly conflict: string | null;
}

/** All indexes that SearchShards provide. Pure. */
export function routeIndexes(entries: Iterable<SearchShardEntry>): Map<string, IndexRoute> {
  const byIndex = new Map<string, SearchShardEntry[]>();
  for (const entry of entries) {
    const own = byIndex.get(entry.index);
    if (own === undefined) byIndex.set(entry.index, [entry]);
    else own.push(entry);
  }
  return new Map([...byIndex].map(([index, own]) => [index, routeOf(index, own)]));
}

function routeOf(index: string, entries: readonly SearchShardEntry[]): IndexRoute {
  const [first] = [...entries].sort((a, b) => a.ordinal - b.ordinal || (a.name < b.name ? -1 : 1));
  const of = first?.of ?? 1;
  const shards = Array.from({ length: of }, (_, ordinal) =>
    entries.find((entry) => entry.ordinal === ordinal && entry.of === of),
  );
  const own = entries.find(({ conflict }) => conflict !== null)?.conflict ?? null;
  const mixed = entries.some((entry) => entry.of !== of || entry.ordinal >= of);
  const twice = new Set(entries.map(({ ordinal }) => ordinal)).size < entries.length;
  const conflict =
    own ?? (mixed ? 'its SearchShards differ in spec.of' : twice ? 'two SearchShards have one ordinal' : null);
  return { index, of, analyzer: first?.analyzer ?? 'english', shards, conflict };
}

/** The shard that a document belongs to. */
export const ordinalOf = (id: string, of: number): number => crc32(id) % of;
