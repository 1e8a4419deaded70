import type { DbShardEntry } from '../../../contract/directory.ts';
import { isEmptyRange } from '../../../contract/key-range.ts';
import type { RangeReport } from '../../../contract/heartbeat.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { keyOfText, maxEpoch } from '../store/key-range.ts';

/** A shard as the directory has it, and what its members say of its range. */
export interface ShardView {
  readonly shard: DbShardEntry;
  /** Null: none of them was heard. */
  readonly report: RangeReport | null;
}

/** A claim of a shard on keys. Bounds have one character a byte. */
export interface Claim {
  readonly shard: DbShardEntry;
  readonly start: string;
  /** '' = to the highest key. */
  readonly end: string;
  /** Of claims on the same keys the one with the highest is right. */
  readonly epoch: number;
  /**
   * Epoch in which the shard's own range has them. In an earlier one a member would answer what is about all of its keys
   * without these.
   */
  readonly heldIn: number;
}

/** Where keys of a shard are that it is not known to have: no range is ever in this epoch, so members refuse. */
const nowhere = maxEpoch + 1;

/**
 * Of what the members of a shard said last, the report that saw the most of its log. However old it is: what a log has
 * said stays true, and the silence of members must not lead back to an older range.
 */
export const newestReport = (shard: DbShardEntry, beats: Pick<Heartbeats, 'get'>): RangeReport | null => {
  const said = shard.members.flatMap(({ pod }) => {
    const replica = beats.get(pod)?.beat.replica;
    return replica?.range ? [{ range: replica.range, applied: replica.applied }] : [];
  });
  const [newest] = said.sort((a, b) => b.range.epoch - a.range.epoch || b.applied - a.applied);
  return newest?.range ?? null;
};

const claimOf = (shard: DbShardEntry, { start, end, epoch }: { start: string; end: string; epoch: number }): Claim => ({
  shard,
  start: keyOfText(start),
  end: keyOfText(end),
  epoch,
  heldIn: epoch,
});

/** The report of a view, unless the directory is newer. */
const report = ({ shard, report: said }: ShardView): RangeReport | null =>
  said !== null && said.epoch >= shard.epoch ? said : null;

/** Epoch in which a shard is, as far as it is known. */
export const epochOf = (view: ShardView): number => report(view)?.epoch ?? view.shard.epoch;

/** The keys that a shard serves by the newest that is known; null: none. */
export const ownClaim = (view: ShardView): Claim | null => {
  const said = report(view);
  if (said === null && !view.shard.serves) return null;
  const claim = claimOf(view.shard, said ?? view.shard);
  return isEmptyRange(claim) ? null : claim;
};

type Views = ReadonlyMap<string, ShardView>;

/**
 * Keys that a shard has handed over: the new shard's, although it may not serve them yet. When that one is not known at
 * all their requests wait at the old one.
 */
export const handedClaim = (view: ShardView, views: Views): Claim | null => {
  const said = report(view);
  if (!said?.handed) return null;
  const { to, start, end } = said.handed;
  const taker = views.get(to);
  const taken = taker && ownClaim(taker);
  if (taken && taken.epoch >= said.epoch) return null;
  const claim = claimOf(taker?.shard ?? view.shard, { start, end, epoch: said.epoch });
  return taker ? claim : { ...claim, heldIn: nowhere };
};

/**
 * Keys that are a shard's if nobody else is known to have them: their requests wait there, because it answers that they have
 * moved until more is known.
 * - a new shard: what begins where the one ends that it splits
 * - a shard that has given keys away, which the directory does not know: what begins where it ends
 * - a shard that takes its upper neighbour over: the same
 */
export const waitingClaim = (view: ShardView, views: Views): Claim | null => {
  const { shard } = view;
  const own = ownClaim(view);
  if (own !== null) {
    const waits = own.epoch > shard.epoch || shard.mergeFrom !== null;
    return waits ? following(shard, own, own.epoch - 1) : null;
  }
  const source = shard.splitFrom && views.get(shard.splitFrom.shard);
  const kept = source && ownClaim(source);
  return kept ? following(shard, kept, kept.epoch) : null;
};

/** All keys after those of a claim. */
const following = (shard: DbShardEntry, { end }: Claim, epoch: number): Claim | null =>
  end === '' ? null : { shard, start: end, end: '', epoch, heldIn: nowhere };
