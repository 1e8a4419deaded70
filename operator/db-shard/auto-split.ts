import { quantityBytes } from '../../crds/quantity.ts';
import type { DbShard } from '../kinds.ts';
import { splitOf } from './split.ts';
import { isMerging, isOpen, type ShardView } from './shard-view.ts';

/** A shard is split by itself when it was above its limit for this time: a peak is no reason. */
export const aboveForMs = 60_000;
/** No second one in a database until the last is over, and swept up, for this time. */
export const quietMs = 60_000;
/** More shards of a database are not made by themselves. */
export const maxShards = 64;

export interface AutoSplitFacts {
  readonly shard: DbShard;
  readonly own: ShardView;
  /** All shards of the namespace. */
  readonly all: readonly ShardView[];
  /** Time since the shard was first seen above its limit, ms. */
  readonly aboveForMs: number;
  /** Time since a split was last seen in the database, ms. */
  readonly quietForMs: number;
}

/** - no: nothing to do, or not now; `retryMs`: look again after this time */
export type AutoSplit =
  | { readonly type: 'no'; readonly retryMs?: number }
  | { readonly type: 'full'; readonly note: string }
  | { readonly type: 'split'; readonly note: string };

/** The store is larger than the resource allows. */
export const isAbove = ({ spec, status }: DbShard): boolean =>
  spec.split !== undefined && (status?.bytes ?? 0) > quantityBytes(spec.split.above);

const sameDatabase = (own: ShardView, all: readonly ShardView[]): ShardView[] =>
  all.filter(({ database }) => database === own.database);

const hasKeysComing = (shard: ShardView): boolean => !isOpen(shard) && shard.emptied === null;

/** A split or a merge is wanted, goes on, or is not swept up yet anywhere in the database. */
export const isSplitting = (own: ShardView, all: readonly ShardView[]): boolean =>
  sameDatabase(own, all).some(
    (shard) =>
      hasKeysComing(shard) ||
      isMerging(shard) ||
      shard.handed !== null ||
      shard.strays ||
      splitOf(shard, all).type !== 'none',
  );

/** Decides whether the operator splits a shard by itself: one at a time in a database, and not without end. Pure. */
export const planAutoSplit = ({ shard, own, all, ...times }: AutoSplitFacts): AutoSplit => {
  if (!isAbove(shard) || own.deleting || isSplitting(own, all)) return { type: 'no' };
  const waitMs = Math.max(aboveForMs - times.aboveForMs, quietMs - times.quietForMs);
  if (waitMs > 0) return { type: 'no', retryMs: waitMs };
  const { bytes = 0 } = shard.status ?? {};
  const size = `its ${bytes} bytes are more than split.above, ${shard.spec.split?.above ?? ''}`;
  if (sameDatabase(own, all).length >= maxShards) {
    return {
      type: 'full',
      note: `${size}, but the database has ${maxShards} shards: split by hand, or raise split.above`,
    };
  }
  return { type: 'split', note: size };
};
