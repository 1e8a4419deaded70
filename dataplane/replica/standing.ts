/** What a replica knows when it asks itself whether nobody else will make a primary. Times are monotonic ms. */
export interface SilenceFacts {
  readonly now: number;
  /** It follows, with its store at the end of the log as far as it knows, since then. */
  readonly followingSince: number;
  /** Last heartbeat of a replica of the set that said it leads or is about to; or 0. */
  readonly primaryHeardAt: number;
  /** Last time it did not hear its own heartbeat: silence of others proves nothing then. */
  readonly deafAt: number;
  /** Its own last attempt. */
  readonly stoodAt: number;
  /** Number of live peers that are better placed: further, or as far with a lower name. */
  readonly rank: number;
  /** Between 0 and 1, drawn once per silence. */
  readonly lot: number;
}

/**
 * The operator suspects a primary after 1.5 s and has another one a second later. When nothing happens for this long,
 * there is no operator; then the replicas stand by themselves, the best placed first, and the log decides between them.
 */
const silenceMs = 5_000;
const perRankMs = 1_000;
const lotMs = 500;

/** Whether the time has come to append a TERM entry of its own. Pure. */
export function electionDue(facts: SilenceFacts): boolean {
  const since = Math.max(facts.followingSince, facts.primaryHeardAt, facts.deafAt, facts.stoodAt);
  return facts.now - since > silenceMs + facts.rank * perRankMs + facts.lot * lotMs;
}

export interface Placed {
  readonly pod: string;
  readonly applied: number;
}

/** How many of the peers are better placed than this replica. */
export const rankAmong = (own: Placed, peers: readonly Placed[]): number =>
  peers.filter((peer) => peer.applied > own.applied || (peer.applied === own.applied && peer.pod < own.pod)).length;
