import type { DbShardEntry } from '../../../contract/directory.ts';
import { DbError } from '../db-error.ts';
import { endOfPrefix, holds } from '../store/key-range.ts';
import { epochOf, handedClaim, ownClaim, waitingClaim, type Claim, type ShardView } from './shard-view.ts';

/** A part of the key space. Bounds have one character a byte. */
export interface RangePart {
  /** First key. */
  readonly start: string;
  /** First key after it; '' = to the highest. */
  readonly end: string;
  /** The shard that its requests go to. */
  readonly shard: DbShardEntry;
  /** All that claim it: more than one only where it is not served. */
  readonly owners: readonly DbShardEntry[];
  /** Why it is not served; null: it is. */
  readonly problem: string | null;
  /** Epoch of the shard's range in which that has it: a request on all of its keys holds in this one alone. */
  readonly epoch: number;
}

/** As much of the key space as has the same owners. */
type Segment = Omit<RangePart, 'shard'> & { readonly shard: DbShardEntry | null };

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Of the claims on some keys those with the highest epoch: the others are what was true before. */
const newest = (claims: readonly Claim[]): Claim[] => {
  const epoch = Math.max(...claims.map((claim) => claim.epoch));
  return claims.filter((claim) => claim.epoch === epoch);
};

const problemOf = (owners: readonly DbShardEntry[]): string | null => {
  const [shard] = owners;
  if (!shard) return 'no shard of the database covers this key';
  if (owners.length > 1) {
    const names = owners.map(({ name }) => name).join(' and ');
    return `the ranges of shards ${names} overlap at this key; it is not served`;
  }
  return shard.conflict === null ? null : `the range of shard ${shard.name} is in conflict: ${shard.conflict}`;
};

const touches = ({ start, end }: RangePart, from: string, to: string): boolean =>
  (to === '' || start < to) && (end === '' || from < end);

/**
 * Which shard serves which keys of one database, by the newest that is known: ranges come from the directory and, above
 * it, from what the members of shards say. Where two disagree the higher epoch is right: of two shards that ever served a
 * key the later one has it. Keys that are on their way between two shards belong to the one that will have them, which
 * refuses them until it does. Where ranges overlap with the same epoch or leave a gap nothing is served.
 */
export class Ranges {
  /** All shards, in the order of their keys. */
  readonly shards: readonly DbShardEntry[];
  /** All keys that belong to a shard, in their order. */
  readonly parts: readonly RangePart[];
  readonly #segments: readonly Segment[];
  readonly #views: ReadonlyMap<string, ShardView>;

  constructor(views: readonly ShardView[]) {
    this.#views = new Map(views.map((view) => [view.shard.name, view]));
    const holding = views.flatMap((view) =>
      [ownClaim(view), handedClaim(view, this.#views)].filter((each) => each !== null),
    );
    const waiting = views.map((view) => waitingClaim(view, this.#views)).filter((each) => each !== null);
    this.#segments = segmentsOf(holding, waiting);
    this.parts = this.#segments.filter((segment) => segment.shard !== null) as readonly RangePart[];
    const firsts = new Map(
      views.map((view) => [
        view.shard,
        (ownClaim(view) ?? holding.find(({ shard }) => shard === view.shard))?.start ?? '',
      ]),
    );
    this.shards = views.map(({ shard }) => shard).sort((a, b) => byBytes(firsts.get(a) ?? '', firsts.get(b) ?? ''));
  }

  /** The shard that serves a key (one character a byte). @throws DbError CLUSTERDOWN when there is not exactly one */
  find(key: string): DbShardEntry {
    const { shard, problem } = this.#segmentOf(key);
    if (shard !== null && problem === null) return shard;
    throw new DbError('CLUSTERDOWN', problem ?? '');
  }

  /** The parts from a key on, before another one ('' = to the highest), in their order. */
  between(from: string, to: string): RangePart[] {
    if (from === to && to !== '') return [];
    return this.parts.filter((part) => touches(part, from, to));
  }

  /** Shards that have keys, each once. */
  holders(parts: readonly RangePart[]): DbShardEntry[] {
    return [...new Set(parts.flatMap(({ owners }) => owners))];
  }

  /** As {@link between}, for who reads all of it. @throws DbError CLUSTERDOWN when a part is not served */
  served(from: string, to: string): RangePart[] {
    const parts = this.between(from, to);
    for (const { problem } of parts) if (problem !== null) throw new DbError('CLUSTERDOWN', problem);
    return parts;
  }

  /** Shards that may have keys with a prefix (one character a byte), in the order of their keys. */
  withPrefix(prefix: string): DbShardEntry[] {
    return this.holders(this.between(prefix, endOfPrefix(prefix)));
  }

  /**
   * Epoch of the range of a shard in which it has all keys that are its by what is known: a request on all of its keys
   * holds in this one alone.
   */
  epochOf(shard: Pick<DbShardEntry, 'name'>): number {
    const view = this.#views.get(shard.name);
    const its = this.parts.filter((part) => part.shard.name === shard.name).map(({ epoch }) => epoch);
    return Math.max(view ? epochOf(view) : 0, ...its);
  }

  /** The keys that a shard says it serves; null: none. */
  claimOf(shard: Pick<DbShardEntry, 'name'>): Omit<Claim, 'shard'> | null {
    const view = this.#views.get(shard.name);
    return view ? ownClaim(view) : null;
  }

  #segmentOf(key: string): Segment {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.start ?? '') <= key) low = middle;
      else high = middle - 1;
    }
    return this.#segments[low] ?? nothing;
  }
}

const nothing: Segment = { start: '', end: '', shard: null, owners: [], problem: problemOf([]), epoch: 0 };

const segmentsOf = (holding: readonly Claim[], waiting: readonly Claim[]): Segment[] => {
  const points = new Set(['', ...[...holding, ...waiting].flatMap(({ start, end }) => [start, end])]);
  const segments: Segment[] = [];
  for (const start of [...points].sort(byBytes)) {
    const holders = newest(holding.filter((claim) => holds(claim, start)));
    const found = holders.length > 0 ? holders : newest(waiting.filter((claim) => holds(claim, start))).slice(0, 1);
    const owners = [...new Set(found.map(({ shard }) => shard))];
    const [problem, shard] = [problemOf(owners), owners[0] ?? null];
    const epoch = Math.max(0, ...found.map(({ heldIn }) => heldIn));
    const last = segments.pop();
    if (last && last.shard === shard && last.problem === problem && last.epoch === epoch) {
      segments.push({ ...last, end: '' });
    } else {
      if (last) segments.push({ ...last, end: start });
      segments.push({ start, end: '', shard, owners, problem, epoch });
    }
  }
  return segments;
};

/** Which shards have lost keys to which, from one state of knowledge to the next: pairs of names. */
export const handedOn = (before: Ranges, after: Ranges): [from: string, to: string][] => {
  const pairs = new Map<string, [string, string]>();
  for (const old of before.parts) {
    for (const { shard } of after.between(old.start, old.end)) {
      if (shard.name !== old.shard.name) pairs.set(`${old.shard.name} ${shard.name}`, [old.shard.name, shard.name]);
    }
  }
  return [...pairs.values()];
};
