import type { ReplicaReport } from '../../contract/heartbeat.ts';
import type { DbShard } from '../kinds.ts';
import { learn, type Known, type Witness } from './known.ts';

/** Confirms that a shard may be deleted with keys that came to it after its deletion was asked for. */
export const deleteKeysAnnotation = 'quartet.dev/delete-keys';

/** One DBShard as decisions about ranges and splits see it. */
export interface ShardView extends Known {
  readonly name: string;
  readonly database: string;
  /** RFC 3339. */
  readonly created: string;
  /** Where its keys come from; null: it began with those in its spec. */
  readonly splitFrom: { readonly shard: string; readonly at: string | null } | null;
  /** Its deletion was asked for. */
  readonly deleting: boolean;
  /** Its deletion was held up once, since keys were on their way to it. */
  readonly wasHeld: boolean;
  /** A person has confirmed that it may go with its keys. */
  readonly mayDeleteKeys: boolean;
  /** Keys in the primary's store, also those that it does not serve; null: not known. */
  readonly rows: number | null;
  /** Its store still holds keys of another shard, which it sweeps away: its size is not its own. */
  readonly strays: boolean;
}

/** The last report of a pod and its age, ms; undefined: it was not heard. */
export type Hear = (pod: string) => { readonly report: ReplicaReport; readonly ageMs: number } | undefined;

/** Reports of this very resource: an earlier one of its name may have had pods of the same names. */
const reportsOf = ({ metadata, status }: DbShard, hear: Hear, now: number): ReplicaReport[] => {
  const ageMs = now - Date.parse(metadata.creationTimestamp ?? '');
  return (status?.members ?? []).flatMap(({ pod }) => {
    const heard = hear(pod);
    return heard === undefined || heard.ageMs > ageMs ? [] : [heard.report];
  });
};

const witnessOf = ({ range, applied }: ReplicaReport): Witness[] =>
  range === undefined ? [] : [{ report: range, applied }];

/** A shard that took nothing over begins with the keys in its spec: no log says otherwise. */
const knownOf = (shard: DbShard, reports: readonly ReplicaReport[]): Known => {
  const known = learn(reports.flatMap(witnessOf), shard.status);
  const { range, splitFrom } = shard.spec;
  if (known.range !== null) {
    // a new half has an epoch of its own from its first entry on
    const isHalf = splitFrom === undefined || known.range.epoch > 0;
    return isHalf ? known : { ...known, range: null };
  }
  return splitFrom === undefined && known.intake === null ? { ...known, range: { ...range, epoch: 0 } } : known;
};

const sourceOf = ({ spec: { splitFrom } }: DbShard): ShardView['splitFrom'] =>
  splitFrom === undefined ? null : { shard: splitFrom.shard, at: splitFrom.at ?? null };

/** What the primary's figures tell of its store. */
const storeOf = (reports: readonly ReplicaReport[]): Pick<ShardView, 'rows' | 'strays'> => {
  const { keys = null, strays = 0 } = reports.find(({ state }) => state === 'primary')?.figures ?? {};
  return { rows: keys, strays: strays > 0 };
};

/** Reads a shard from its resource and its pods' reports. `now`: ms since the epoch. */
export const viewShard = (shard: DbShard, hear: Hear, now: number): ShardView => {
  const { metadata, spec, status } = shard;
  const reports = reportsOf(shard, hear, now);
  return {
    ...knownOf(shard, reports),
    name: metadata.name,
    database: spec.database,
    created: metadata.creationTimestamp ?? '',
    splitFrom: sourceOf(shard),
    deleting: metadata.deletionTimestamp !== undefined,
    wasHeld: status?.conditions?.some(({ type }) => type === 'DeletionHeld') ?? false,
    mayDeleteKeys: metadata.annotations?.[deleteKeysAnnotation] === 'true',
    ...storeOf(reports),
  };
};

/** Serves keys: all shards but those that have not taken theirs over yet. */
export const isOpen = ({ range }: ShardView): boolean => range !== null;

/** It is no new half of another shard, or has nothing more to do with that one. */
export const isDone = (shard: ShardView): boolean =>
  shard.splitFrom === null || (isOpen(shard) && shard.intake === null);
