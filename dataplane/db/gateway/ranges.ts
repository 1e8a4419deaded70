import type { DbShardEntry } from '../../../contract/directory.ts';
import { DbError } from '../db-error.ts';

/** A part of the key space, and the shards that claim it. */
interface Segment {
  /** First key, one character a byte. */
  readonly start: string;
  readonly owners: readonly DbShardEntry[];
}

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/**
 * Which shard serves which keys of one database. Ranges come from the directory; where they overlap or leave a gap
 * nothing is served, and the error says why.
 */
export class Ranges {
  readonly shards: readonly DbShardEntry[];
  readonly #segments: readonly Segment[];

  constructor(shards: readonly DbShardEntry[]) {
    const bounds = shards.map((shard) => ({ shard, start: bytesOf(shard.start), end: bytesOf(shard.end) }));
    const points = new Set(['', ...bounds.map(({ start }) => start), ...bounds.map(({ end }) => end)]);
    this.shards = shards.toSorted((a, b) => (bytesOf(a.start) < bytesOf(b.start) ? -1 : 1));
    this.#segments = [...points].sort(byBytes).map((point) => ({
      start: point,
      owners: bounds
        .filter(({ start, end }) => start <= point && (end === '' || point < end))
        .map(({ shard }) => shard),
    }));
  }

  /** The shard that serves a key (one character a byte). @throws DbError CLUSTERDOWN when there is not exactly one */
  find(key: string): DbShardEntry {
    const owners = this.#segmentOf(key).owners;
    const [shard] = owners;
    if (!shard) throw new DbError('CLUSTERDOWN', 'no shard of the database covers this key');
    if (owners.length > 1) {
      const names = owners.map(({ name }) => name).join(' and ');
      throw new DbError('CLUSTERDOWN', `the ranges of shards ${names} overlap at this key; it is not served`);
    }
    if (shard.conflict !== null) {
      throw new DbError('CLUSTERDOWN', `the range of shard ${shard.name} is in conflict: ${shard.conflict}`);
    }
    return shard;
  }

  /** Shards that may have keys with a prefix (one character a byte), in the order of their keys. */
  withPrefix(prefix: string): DbShardEntry[] {
    return this.shards.filter(({ start, end }) => {
      const [low, high] = [bytesOf(start), bytesOf(end)];
      return (high === '' || high > prefix) && (low <= prefix || low.startsWith(prefix));
    });
  }

  #segmentOf(key: string): Segment {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.start ?? '') <= key) low = middle;
      else high = middle - 1;
    }
    return this.#segments[low] ?? { start: '', owners: [] };
  }
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
