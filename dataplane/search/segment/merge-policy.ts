/** What the policy looks at of one segment. */
export interface SegmentSize {
  /** Documents, live ones only. */
  readonly live: number;
  readonly deleted: number;
}

/** Segments of one tier before they are merged. */
export const segmentsPerTier = 8;
const tierFactor = 8;
const smallestTier = 256;
/** A segment with more than this share of deleted documents is rewritten. */
const deletedShare = 0.33;

const tierOf = (live: number): number => Math.max(0, Math.ceil(Math.log(live / smallestTier) / Math.log(tierFactor)));

/**
 * Which segments to merge next, as indexes; empty: none. Tiers grow by a factor of 8, so a document is rewritten about once a
 * tier. Small tiers come first: they are cheap and make searches quicker soonest.
 */
export function planMerge(segments: readonly SegmentSize[]): number[] {
  const tiers = new Map<number, number[]>();
  for (const [index, { live }] of segments.entries()) {
    const tier = tierOf(live);
    const members = tiers.get(tier) ?? [];
    members.push(index);
    tiers.set(tier, members);
  }
  for (const tier of [...tiers.keys()].sort((a, b) => a - b)) {
    const members = tiers.get(tier) ?? [];
    if (members.length >= segmentsPerTier) return members;
  }
  const worn = segments.findIndex(({ live, deleted }) => deleted > (live + deleted) * deletedShare);
  return worn < 0 ? [] : [worn];
}
