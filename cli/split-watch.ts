import type { SplitPhase } from '../crds/db-shard.ts';
import { conditionOf, holdsKeys, showRange, type DbShard } from './db-shards.ts';

/** What a look at a split that was asked for shows. */
export type SplitNews =
  | { readonly type: 'goes-on'; readonly phase: SplitPhase; readonly detail: string }
  /** It serves its keys. */
  | { readonly type: 'open'; readonly text: string }
  /** It cannot begin. */
  | { readonly type: 'refused'; readonly why: string }
  /** Somebody deleted the new shard. */
  | { readonly type: 'given-up' };

/** What each phase does, for people. */
export const phaseNames: Readonly<Record<SplitPhase, string>> = {
  Waiting: 'replicas start',
  Copying: 'copy all keys',
  Following: 'follow the log',
  HandedOver: 'keys handed over, last entries',
  Open: 'open',
};

/** The new shard serves its keys. */
const openNews = (source: DbShard | undefined, target: DbShard): SplitNews => {
  const text = [source, target]
    .filter((shard) => shard !== undefined)
    .map(({ metadata, status }) => `${metadata.name} ${showRange(status?.range)}`)
    .join(', ');
  return { type: 'open', text };
};

/** The new shard serves nothing yet. */
const newsOfWork = (target: DbShard): SplitNews => {
  const splitting = conditionOf(target, 'Splitting');
  if (splitting?.status === 'False') return { type: 'refused', why: splitting.message };
  const phase = target.status?.split?.phase ?? 'Waiting';
  return { type: 'goes-on', phase, detail: splitting?.message ?? 'the operator has not seen it yet' };
};

/** Reads how far a split is from its two shards. Pure. */
export const splitNews = (shards: readonly DbShard[], names: { source: string; target: string }): SplitNews => {
  const named = (name: string) => shards.find(({ metadata }) => metadata.name === name);
  const target = named(names.target);
  if (target === undefined || target.metadata.deletionTimestamp !== undefined) return { type: 'given-up' };
  if (target.status?.range !== undefined) return openNews(named(names.source), target);
  return newsOfWork(target);
};

const above = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;

const objectionToKey = (at: string, name: string, range: { start: string; end: string }): string | null => {
  const inside = above(at, range.start) && (range.end === '' || above(range.end, at));
  const limits = range.end === '' ? `above "${range.start}"` : `above "${range.start}" and below "${range.end}"`;
  return inside ? null : `"${at}" is not inside of ${name} ${showRange(range)}: choose a key ${limits}`;
};

/** What it does with other shards now, if it does. */
const workOf = ({ metadata: { name }, status: { split, merge } = {} }: DbShard): string | null => {
  if (split !== undefined) {
    const work = split.to === undefined ? `takes over keys of ${split.from ?? ''}` : `is being split with ${split.to}`;
    return `${name} ${work} (${split.phase})`;
  }
  if (merge === undefined || merge.phase === 'Merged') return null;
  return `${name} is being merged with ${merge.from ?? merge.to ?? ''} (${merge.phase})`;
};

/** Why a shard is not split at a key, as far as its status tells; null: it may be tried. Pure. */
export const objection = (shard: DbShard, at: string | undefined): string | null => {
  const { name, deletionTimestamp } = shard.metadata;
  const range = shard.status?.range;
  if (deletionTimestamp !== undefined) return `${name} is being deleted`;
  const work = workOf(shard);
  if (work !== null) return `${work}: try again when that is over`;
  if (range === undefined) return `${name} serves no keys yet`;
  if (!holdsKeys(range)) return `${name} has no keys any more: split the shard that has them`;
  return at === undefined ? null : objectionToKey(at, name, range);
};
