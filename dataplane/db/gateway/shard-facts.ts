import type { DbShardEntry } from '../../../contract/directory.ts';
import type { ReplicaReport } from '../../../contract/heartbeat.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import type { Claim } from './shard-view.ts';
import { findPrimary } from './target.ts';

/** A member that was silent for so long counts as down, milliseconds. */
const silentMs = 1_500;

/** A shard as heartbeats show it. */
export interface ShardFacts {
  readonly name: string;
  /** The keys that it serves by the newest that is known, one character a byte; null: none. */
  readonly range: Pick<Claim, 'start' | 'end' | 'epoch'> | null;
  /** Pod; null: none is known. */
  readonly primary: string | null;
  readonly term: number;
  /** Last sequence that its primary has applied. */
  readonly sequence: number;
  readonly keys: number;
  /** Keys with a time to live. */
  readonly expiring: number;
  readonly members: number;
  /** Members that were heard of late. */
  readonly alive: number;
  /** Entries that the last of them has not applied, of those that the primary has. */
  readonly lag: number;
}

type Beats = Pick<Heartbeats, 'get' | 'alive'>;

const reportOf = (pod: string, beats: Beats): ReplicaReport | null => beats.get(pod)?.beat.replica ?? null;

/** Figures of a primary; zeros while none is known. */
const figuresOf = (report: ReplicaReport | null): Pick<ShardFacts, 'term' | 'sequence' | 'keys' | 'expiring'> => {
  if (!report) return { term: 0, sequence: 0, keys: 0, expiring: 0 };
  const { term, applied, figures } = report;
  return { term, sequence: applied, keys: figures['keys'] ?? 0, expiring: figures['expiring'] ?? 0 };
};

/** What is known about a shard now. */
export const shardFacts = (shard: DbShardEntry, range: ShardFacts['range'], beats: Beats): ShardFacts => {
  const pods = shard.members.map(({ pod }) => pod);
  const primary = findPrimary(pods, beats)?.pod ?? null;
  const figures = figuresOf(primary === null ? null : reportOf(primary, beats));
  const heard = pods.filter((pod) => beats.alive(pod, silentMs));
  const lags = heard.map((pod) => figures.sequence - (reportOf(pod, beats)?.applied ?? 0));
  return {
    name: shard.name,
    range,
    primary,
    ...figures,
    members: pods.length,
    alive: heard.length,
    lag: Math.max(0, ...lags),
  };
};
