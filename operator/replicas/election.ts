import { appliedOf, highestTerm, isFresh, liveState, nodeOf, type ReplicaView, type SetView } from './view.ts';

/**
 * Who leads. Every outcome is safe: a promotion is a compare-and-set append of TERM(n+1) to the log, done after the
 * candidate has applied the log to its tail. So a candidate that is behind catches up from the log before it leads, no
 * acknowledged entry is lost whichever replica is chosen, and a primary that was deposed by mistake finds out at its
 * next append. The choice of the most advanced replica only makes the gap short; suspecting too early only costs a
 * short gap that was not needed. That is why an operator without sound evidence waits: it protects calm, not data.
 */
export type Election =
  | { readonly type: 'keep'; readonly pod: string; readonly term: number }
  | {
      readonly type: 'elect';
      readonly pod: string;
      readonly term: number;
      readonly why: string;
      /** It leads still: it gives its lease up first, so that nobody has to wait for the lease to run out. */
      readonly from?: string;
    }
  /** Nobody to elect now, or not allowed to judge; `forMs` bounds the wait when no event will end it. */
  | { readonly type: 'wait'; readonly why: string; readonly forMs?: number };

/** Time that the first replicas of a new set get to appear, so that the first primary is chosen among all. */
const firstElectionGraceMs = 1500;

/** The replica that leads by its own heartbeat: of several claims the highest term holds. */
export const claimedLeader = (view: SetView): ReplicaView | null => {
  const claims = view.replicas.filter((replica) => liveState(replica, view) === 'primary');
  claims.sort((a, b) => termOf(b) - termOf(a));
  return claims[0] ?? null;
};

const termOf = (replica: ReplicaView): number => replica.beat?.term ?? 0;

const canLead = (replica: ReplicaView, view: SetView): boolean => {
  const state = liveState(replica, view);
  if (state !== 'following' && state !== 'primary') return false;
  return replica.presence === 'running' && nodeOf(replica, view)?.lost !== true;
};

const primariesOn = (replica: ReplicaView, view: SetView): number => nodeOf(replica, view)?.primaries ?? 0;

const primariesInZone = (zone: string, view: SetView): number =>
  view.nodes.filter((node) => node.zone === zone).reduce((sum, node) => sum + node.primaries, 0);

/** Led, is heard, and leads no more: it resigned, perhaps since its process is ending. Others go before it. */
const hasResigned = (replica: ReplicaView, view: SetView): boolean =>
  replica.pod === view.recorded.primary && replica.beat?.state !== 'primary';

/** The order of preference, as numbers compared from left to right; lower is better. */
const rank = (replica: ReplicaView, view: SetView): readonly number[] => [
  Number(replica.refused),
  Number(hasResigned(replica, view)),
  // one that is about to be evicted would lead for a moment only
  Number(nodeOf(replica, view)?.usable !== true),
  -appliedOf(replica),
  primariesInZone(replica.zone, view),
  primariesOn(replica, view),
];

const compareRanks = (a: readonly number[], b: readonly number[]): number => {
  for (const [place, value] of a.entries()) {
    const difference = value - (b[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/**
 * Candidates, best first: those that did not refuse or resign a moment ago, then those whose node stays, then the most advanced, then in the zone and
 * on the node with the fewest primaries, then by name.
 */
export const candidates = (view: SetView, except?: string): ReplicaView[] =>
  view.replicas
    .filter((replica) => replica.pod !== except && canLead(replica, view))
    .sort((a, b) => compareRanks(rank(a, view), rank(b, view)) || (a.pod < b.pod ? -1 : 1));

/** Why a primary with this pod object is gone, whatever its heartbeats say; null when the object is well. */
const absence = (replica: ReplicaView): string | null => {
  if (replica.presence === 'absent') return `the pod of ${replica.pod} is gone`;
  if (replica.presence === 'terminating') return `${replica.pod} is being deleted`;
  if (replica.presence === 'failed') return `the pod of ${replica.pod} failed`;
  return null;
};

/** Why the recorded primary does not lead, or null when it cannot be said yet. */
const vacancy = (view: SetView): string | null => {
  const { primary } = view.recorded;
  if (primary === null) return 'there is none yet';
  const replica = view.replicas.find(({ pod }) => pod === primary);
  if (replica === undefined) return `${primary} is no replica any more`;
  const gone = absence(replica);
  if (gone !== null) return gone;
  const state = liveState(replica, view);
  if (state !== null) return `${primary} is ${state}`;
  if (nodeOf(replica, view)?.lost ?? true) return `node ${replica.node} of ${primary} is lost`;
  return view.evidence === 'none' ? null : `${primary} is silent`;
};

/** True while replicas of a new set are still expected to appear. */
const stillGathering = (view: SetView, live: readonly ReplicaView[]): boolean =>
  highestTerm(view) === 0 &&
  live.length < view.desired &&
  !live.some((replica) => (replica.beat?.upForMs ?? 0) >= firstElectionGraceMs);

/** A replica was asked to lead and still may: it is heard, and its pod is there. Else the answer is not waited for. */
export const isAwaited = (view: SetView): boolean => {
  const { inFlight } = view;
  if (inFlight === null) return false;
  if (inFlight.backingOff) return true;
  const target = view.replicas.find(({ pod }) => pod === inFlight.pod);
  return target !== undefined && target.presence === 'running' && isFresh(target, view);
};

const elect = (view: SetView, why: string, except?: string): Election => {
  const live = candidates(view, except);
  const [best] = live;
  if (best === undefined) return { type: 'wait', why: `no replica can lead: ${why}` };
  if (stillGathering(view, live)) {
    return { type: 'wait', why: 'waiting for the first replicas to appear', forMs: 200 };
  }
  return { type: 'elect', pod: best.pod, term: highestTerm(view) + 1, why };
};

const keep = (replica: ReplicaView): Election => ({ type: 'keep', pod: replica.pod, term: termOf(replica) });

/** A promotion takes 5 s at most. */
const promotingMs = 5000;

const isPromoting = (replica: ReplicaView, view: SetView): boolean =>
  liveState(replica, view) === 'promoting' && (replica.beat?.stateForMs ?? 0) < promotingMs;

/** The primary's pod is being deleted: another takes over while it still serves, if any can. */
const succeed = (leader: ReplicaView, view: SetView): Election => {
  const successor = elect(view, `${leader.pod} is being deleted`, leader.pod);
  return successor.type === 'elect' ? { ...successor, from: leader.pod } : keep(leader);
};

/** The longest time between two elections of a set. */
const longestSpacingMs = 10_000;

/**
 * How long the next election has to wait, ms. The first two within a minute come at once, the others at growing
 * distances: a node that comes and goes costs at most nine elections a minute, whatever it does.
 */
const spacingLeftMs = ({ elections }: SetView): number => {
  if (elections.length < 2) return 0;
  const spacingMs = Math.min(longestSpacingMs, 1000 * 2 ** (elections.length - 1));
  return Math.max(0, spacingMs - Math.min(...elections));
};

/** Decides when nobody claims to lead. */
const fillVacancy = (view: SetView): Election => {
  const { primary, term } = view.recorded;
  if (view.settling && primary !== null) return { type: 'keep', pod: primary, term };
  const promoting = view.replicas.find((replica) => isPromoting(replica, view));
  if (promoting) return { type: 'wait', why: `${promoting.pod} is being promoted`, forMs: 1000 };
  const why = vacancy(view);
  if (why === null) return { type: 'wait', why: 'nobody is suspected: the operator itself hears too little' };
  const forMs = spacingLeftMs(view);
  if (forMs > 0) return { type: 'wait', why: `${why}; elections follow each other too fast`, forMs };
  return elect(view, why);
};

/** Decides who leads. Whoever leads by a fresh heartbeat keeps leading, unless its pod is being deleted. */
export const decideElection = (view: SetView): Election => {
  const leader = claimedLeader(view);
  if (leader !== null && leader.presence !== 'terminating') return keep(leader);
  if (view.inFlight !== null && isAwaited(view)) {
    return { type: 'wait', why: `${view.inFlight.pod} is being promoted`, forMs: 250 };
  }
  return leader === null ? fillVacancy(view) : succeed(leader, view);
};
