import type { ReplicaReport } from '../../contract/heartbeat.ts';
import { isEmptyRange } from '../../contract/key-range.ts';
import type { DbShard } from '../kinds.ts';
import { learn, type KeyRange, type Known, type Witness } from './known.ts';

/**
 * Confirms a deletion that waits: that of a shard with keys that came to it after the deletion was asked for, or of one that
 * a shard which cannot be heard may still need.
 */
export const deleteKeysAnnotation = 'quartet.dev/delete-keys';

/** One DBShard as decisions about ranges and splits see it. */
export interface ShardView extends Known {
  readonly name: string;
  readonly database: string;
  /** RFC 3339. */
  readonly created: string;
  /** Where its keys come from; null: it began with those in its spec. */
  readonly splitFrom: { readonly shard: string; readonly at: string | null } | null;
  /** The lower neighbour that is to have all of its keys. */
  readonly mergeInto: string | null;
  /** As status shows it: the shard that takes over its keys, or has. No merge begins before that is written. */
  readonly givesTo: string | null;
  /** As status shows it: that is over. */
  readonly wasMerged: boolean;
  /** As status shows it: the upper neighbour whose keys it takes over. */
  readonly takesFrom: string | null;
  /** Its document says nothing of a merge, and its primary has said since then that it takes nothing over. */
  readonly hasGivenUp: boolean;
  /** What is in the way of a merge in which it takes keys over, also before that has begun. */
  readonly waitsFor: string | null;
  /** Transactions that it may be asked about, when it has no keys any more; null: not known. */
  readonly transactions: number | null;
  /** Its deletion was asked for. */
  readonly deleting: boolean;
  /** Keys came to it, or were on their way, after its deletion was asked for. */
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

/** What a shard's view is made from besides its resource. */
export interface Senses {
  readonly hear: Hear;
  /** See {@link ShardView.hasGivenUp}. */
  readonly hasGivenUp: boolean;
  /** ms since the epoch. */
  readonly now: number;
}

/** Reports of this very resource: an earlier one of its name may have had pods of the same names. */
const reportsOf = ({ metadata, status }: DbShard, { hear, now }: Senses): ReplicaReport[] => {
  const ageMs = now - Date.parse(metadata.creationTimestamp ?? '');
  return (status?.members ?? []).flatMap(({ pod }) => {
    const heard = hear(pod);
    return heard === undefined || heard.ageMs > ageMs ? [] : [heard.report];
  });
};

const witnessOf = ({ range, applied }: ReplicaReport): Witness[] =>
  range === undefined ? [] : [{ report: range, applied }];

/** A shard that took nothing over begins with the keys in its spec: no log says otherwise. */
const withFirstRange = (known: Known, { spec: { range, splitFrom } }: DbShard): Known => {
  if (known.range !== null) {
    // a new half has an epoch of its own from its first entry on
    const isHalf = splitFrom === undefined || known.range.epoch > 0;
    return isHalf ? known : { ...known, range: null };
  }
  const isNew = splitFrom === undefined && known.intake === null && known.emptied === null;
  return isNew ? { ...known, range: { ...range, epoch: 0 } } : known;
};

/** Until the lower neighbour serves them the keys are on their way, also when the log of the upper one says no more of it. */
const withKeysOnTheirWay = (known: Known, { status }: DbShard): Known => {
  const { to, phase, keys } = status?.merge ?? {};
  const isOver = known.emptied === null || to === undefined || keys === undefined || phase === 'Merged';
  return isOver || known.handed !== null ? known : { ...known, handed: { to, ...keys } };
};

/** The primary alone knows what is in the way. */
const withProblem = (known: Known, leader: ReplicaReport | undefined): Known => {
  const problem = leader?.range?.intake?.problem;
  if (known.intake === null || problem === undefined) return known;
  return { ...known, intake: { ...known.intake, problem } };
};

const obstacleOf = (leader: ReplicaReport | undefined): string | null => {
  const intake = leader?.range?.intake;
  return intake?.merge === true ? (intake.problem ?? null) : null;
};

const knownOf = (shard: DbShard, reports: readonly ReplicaReport[], leader: ReplicaReport | undefined): Known => {
  const known = learn(reports.flatMap(witnessOf), shard.status);
  return withProblem(withKeysOnTheirWay(withFirstRange(known, shard), shard), leader);
};

const leaderOf = (reports: readonly ReplicaReport[]): ReplicaReport | undefined =>
  reports
    .filter(({ state }) => state === 'primary')
    .reduce<ReplicaReport | undefined>((best, one) => ((best?.term ?? -1) < one.term ? one : best), undefined);

const sourceOf = ({ spec: { splitFrom } }: DbShard): ShardView['splitFrom'] =>
  splitFrom === undefined ? null : { shard: splitFrom.shard, at: splitFrom.at ?? null };

/** What the primary's figures tell of its store. */
const storeOf = (leader: ReplicaReport | undefined): Pick<ShardView, 'rows' | 'strays'> => {
  const { keys = null, strays = 0 } = leader?.figures ?? {};
  return { rows: keys, strays: strays > 0 };
};

/**
 * The least that a replica has told since its range is empty: from then on they only become fewer. So what the last one said
 * before its pod ended holds, too.
 */
const transactionsOf = (reports: readonly ReplicaReport[]): number | null => {
  const told = reports.flatMap(({ range }) =>
    range === undefined || !isEmptyRange(range) ? [] : (range.transactions ?? []),
  );
  return told.length === 0 ? null : Math.min(...told);
};

/** Reasons of `DeletionHeld` by which keys came to a shard. */
const came: ReadonlySet<string> = new Set(['KeysUnderWay', 'KeysTakenOver']);

/** The operator may have been away when keys came: then its range is larger than when a merge was shown. */
const hasGrown = ({ status }: DbShard, { range }: Known): boolean =>
  status?.merge?.from !== undefined && range !== null && range.end !== status.range?.end;

const wasHeld = (shard: DbShard, known: Known): boolean => {
  if (shard.metadata.deletionTimestamp === undefined) return false;
  const held = shard.status?.conditions?.find(({ type }) => type === 'DeletionHeld');
  return hasGrown(shard, known) || (held !== undefined && came.has(held.reason));
};

const mergeOf = ({ spec, status: { merge } = {} }: DbShard) => ({
  mergeInto: spec.mergeInto ?? null,
  givesTo: merge?.to ?? null,
  wasMerged: merge?.phase === 'Merged',
  takesFrom: merge?.from ?? null,
});

const deletionOf = ({ metadata }: DbShard) => ({
  deleting: metadata.deletionTimestamp !== undefined,
  mayDeleteKeys: metadata.annotations?.[deleteKeysAnnotation] === 'true',
});

/** Reads a shard from its resource and its pods' reports. */
export const viewShard = (shard: DbShard, senses: Senses): ShardView => {
  const { metadata, spec } = shard;
  const reports = reportsOf(shard, senses);
  const leader = leaderOf(reports);
  const known = knownOf(shard, reports, leader);
  return {
    ...known,
    name: metadata.name,
    database: spec.database,
    created: metadata.creationTimestamp ?? '',
    splitFrom: sourceOf(shard),
    ...mergeOf(shard),
    ...deletionOf(shard),
    hasGivenUp: senses.hasGivenUp && known.merging === null,
    waitsFor: obstacleOf(leader),
    transactions: transactionsOf(reports),
    wasHeld: wasHeld(shard, known),
    ...storeOf(leader),
  };
};

/** The range in its log: also the empty one of a shard that gave all of its keys away; null: none yet. */
export const loggedRange = ({ range, emptied }: ShardView): KeyRange | null =>
  range ?? (emptied && { start: emptied.at, end: emptied.at, epoch: emptied.epoch });

/** Serves keys: all shards but those that have not taken theirs over yet, or have given them all away. */
export const isOpen = ({ range }: ShardView): boolean => range !== null;

/** It is no new half of another shard, or has nothing more to do with that one. */
export const isDone = (shard: ShardView): boolean =>
  shard.splitFrom === null || shard.emptied !== null || (isOpen(shard) && shard.intake === null);

/** It gives or takes all keys of a shard, or may begin to at any time. */
export const isMerging = ({ givesTo, takesFrom, merging, emptied }: ShardView): boolean =>
  emptied === null && (givesTo !== null || takesFrom !== null || merging !== null);
