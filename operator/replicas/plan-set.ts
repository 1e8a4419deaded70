import type { SetAction } from './action.ts';
import { betterNode, betterPrimary } from './balance.ts';
import { candidates, decideElection, type Election } from './election.ts';
import { evacuate, isLeaving } from './evacuate.ts';
import { lossOf } from './loss.ts';
import { placeReplica } from './placement.ts';
import { mostDispensable } from './surplus.ts';
import { highestTerm, isCaughtUp, isFresh, nodeOf, type NodeView, type ReplicaView, type SetView } from './view.ts';

export interface SetPlan {
  readonly actions: readonly SetAction[];
  readonly leader: string | null;
  readonly term: number;
  /** Replicas that count: not given up. */
  readonly members: readonly ReplicaView[];
  readonly lost: readonly { readonly pod: string; readonly why: string }[];
  /** Why there is no leader. */
  readonly waitsFor: string | null;
  /** Why the number of replicas is not as desired and nothing is done about it now. */
  readonly blocked: string | null;
  /** Look again after this time even if nothing happens. */
  readonly requeueAfterMs?: number | undefined;
}

interface Membership {
  readonly actions: readonly SetAction[];
  readonly blocked?: string | undefined;
}

const none: Membership = { actions: [] };

const act = (...actions: SetAction[]): Membership => ({ actions });

/** Node not ready, or gone: nobody can confirm there that a pod ended. */
const isOnLostNode = (replica: ReplicaView, view: SetView): boolean => nodeOf(replica, view)?.lost ?? true;

/** The first replicas of a new set, all at once: there is nothing to copy. */
const createInitial = (view: SetView, members: readonly ReplicaView[]): Membership => {
  const actions: SetAction[] = [];
  const placed: { node: string; zone: string }[] = [...view.replicas];
  for (let missing = view.desired - members.length; missing > 0; missing--) {
    const node = placeReplica({ nodes: view.nodes, replicas: placed });
    if (node === null) return { actions, blocked: 'there are fewer usable nodes than replicas' };
    placed.push({ node: node.name, zone: node.zone });
    actions.push({ type: 'create-replica', number: view.nextNumber + actions.length, node: node.name, why: 'initial' });
  }
  return { actions };
};

/** One more replica, rebuilt from a peer: one at a time in the set, and one at a time on a node. */
const addOne = (view: SetView, members: readonly ReplicaView[], why: string): Membership => {
  const rebuilding = members.find((member) => !isCaughtUp(member, view));
  if (rebuilding) return { actions: [], blocked: `${rebuilding.pod} has to catch up first` };
  const free = (node: NodeView): boolean => node.rebuilding === 0;
  const node = placeReplica({ nodes: view.nodes, replicas: view.replicas, allowed: free });
  if (node !== null) return act({ type: 'create-replica', number: view.nextNumber, node: node.name, why });
  const busy = placeReplica({ nodes: view.nodes, replicas: view.replicas });
  if (busy !== null) return { actions: [], blocked: `node ${busy.name} rebuilds another replica first` };
  return { actions: [], blocked: 'no usable node is left that holds no replica of this shard' };
};

/** One replica goes: after another has taken over, when it leads. */
const removeOne = (view: SetView, members: readonly ReplicaView[], leader: string | null): Membership => {
  const victim = mostDispensable(members, view, leader);
  if (victim === null) return none;
  const rest = members.filter((member) => member !== victim);
  const readyWithout = rest.filter((member) => isCaughtUp(member, view)).length;
  if (isCaughtUp(victim, view) && readyWithout < view.desired) {
    return { actions: [], blocked: `${victim.pod} goes when the others have caught up` };
  }
  if (victim.pod !== leader) {
    const force = isOnLostNode(victim, view);
    return act({ type: 'forget-replica', pod: victim.pod, force, why: 'more replicas than desired' });
  }
  return switchOver(view, victim.pod, rest, 'the primary is to be removed');
};

const switchOver = (view: SetView, from: string, among: readonly ReplicaView[], why: string): Membership => {
  if (view.inFlight !== null) return none;
  const target = candidates(view, from).find((replica) => among.includes(replica) && !replica.refused);
  if (target === undefined) return { actions: [], blocked: `${from} leads and no other replica can` };
  return act({ type: 'switch-over', from, pod: target.pod, term: highestTerm(view) + 1, why });
};

const forgetLost = (view: SetView, lost: readonly ReplicaView[], members: readonly ReplicaView[]): Membership => {
  const ready = members.filter((member) => isCaughtUp(member, view)).length;
  const [gone] = lost;
  if (gone === undefined || ready < view.desired) return none;
  return act({
    type: 'forget-replica',
    pod: gone.pod,
    force: isOnLostNode(gone, view),
    why: 'it was replaced',
  });
};

const planMembership = (view: SetView, lost: readonly ReplicaView[], leader: string | null): Membership => {
  const members = view.replicas.filter((replica) => !lost.includes(replica));
  if (members.length < view.desired && highestTerm(view) === 0) return createInitial(view, members);
  if (leader === null) return none;
  const forget = forgetLost(view, lost, members);
  if (forget.actions.length > 0) return forget;
  if (members.length > view.desired) return removeOne(view, members, leader);
  if (members.length === view.desired) return none;
  return addOne(view, members, lost.length > 0 ? 'a replica was lost' : 'fewer replicas than desired');
};

/**
 * Template changes, one set at a time and one replica at a time, the primary last and by switch-over. A replica on a
 * node that takes no pods keeps the pod that it has.
 */
const rollOut = (view: SetView, leader: string): Membership => {
  const outdated = view.replicas.filter((replica) => replica.outdated && !isLeaving(replica, view));
  if (outdated.length > 0 && view.rollOutWaitsFor !== null) {
    return { actions: [], blocked: `its template changed; ${view.rollOutWaitsFor}` };
  }
  const follower = outdated.find((replica) => replica.pod !== leader);
  const why = 'its template changed';
  if (follower) return act({ type: 'delete-pod', pod: follower.pod, why });
  const [primary] = outdated;
  if (primary === undefined) return none;
  if (view.replicas.length === 1) return act({ type: 'delete-pod', pod: primary.pod, why });
  const current = view.replicas.filter((replica) => !replica.outdated);
  return switchOver(view, primary.pod, current, 'the primary gets a new template');
};

/** Improvements of a set that is as desired. */
const improve = (view: SetView, leader: string): Membership => {
  const settled =
    view.inFlight === null &&
    view.evidence === 'sound' &&
    view.replicas.length === view.desired &&
    view.replicas.every((replica) => isCaughtUp(replica, view));
  if (!settled) return none;
  const rollout = rollOut(view, leader);
  if (rollout.actions.length > 0 || rollout.blocked !== undefined) return rollout;
  const node = betterNode(view);
  if (node !== null) {
    return act({ type: 'create-replica', number: view.nextNumber, node: node.name, why: 'better spread' });
  }
  const current = view.replicas.find((replica) => replica.pod === leader);
  const better = current && betterPrimary(view, current);
  if (!better) return none;
  const why = 'primaries are spread over nodes';
  return act({ type: 'switch-over', from: leader, pod: better.pod, term: highestTerm(view) + 1, why });
};

/** It serves nothing, so nothing is lost by giving it the new template at once, which may be what it needs. */
const isStuckOnOldTemplate = (replica: ReplicaView, view: SetView): boolean =>
  replica.outdated &&
  !replica.ready &&
  !isFresh(replica, view) &&
  (replica.presence === 'running' || replica.presence === 'pending') &&
  !isOnLostNode(replica, view);

/** Pods that failed or vanished come back where their data is. */
const upkeep = (view: SetView, lost: readonly ReplicaView[]): SetAction[] => {
  const actions: SetAction[] = [];
  for (const replica of view.replicas) {
    if (lost.includes(replica)) continue;
    if (replica.presence === 'failed') {
      actions.push({ type: 'delete-pod', pod: replica.pod, why: 'it failed' });
    } else if (isStuckOnOldTemplate(replica, view)) {
      actions.push({ type: 'delete-pod', pod: replica.pod, why: 'it does not work and its template changed' });
    } else if (replica.presence === 'absent' && nodeOf(replica, view)?.usable) {
      actions.push({ type: 'create-pod', pod: replica.pod });
    }
  }
  return actions;
};

const labels = (view: SetView, leader: string | null): SetAction[] => {
  if (leader === null) return [];
  return view.replicas
    .filter((replica) => replica.presence !== 'absent' && replica.labelledPrimary !== (replica.pod === leader))
    .map((replica) => ({ type: 'label', pod: replica.pod, primary: replica.pod === leader }));
};

const ask = (election: Election): SetAction[] => {
  if (election.type !== 'elect') return [];
  const { pod, term, why, from } = election;
  return [from === undefined ? { type: 'promote', pod, term, why } : { type: 'switch-over', from, pod, term, why }];
};

/** Time after which an unsettled set is looked at again: for what makes no event, such as a replica's lag. */
const unsettledMs = 1000;

const lookAgain = (view: SetView, election: Election, blocked: string | undefined): number | undefined => {
  if (election.type === 'wait') return election.forMs ?? unsettledMs;
  const settled = view.replicas.every((replica) => isCaughtUp(replica, view) && !isLeaving(replica, view));
  return settled && blocked === undefined ? undefined : unsettledMs;
};

interface Loss {
  readonly replica: ReplicaView;
  readonly why: string;
}

const findLosses = (view: SetView, leader: string | null): Loss[] =>
  view.replicas.flatMap((replica) => {
    const why = replica.pod === leader ? null : lossOf(replica, view);
    return why === null ? [] : [{ replica, why }];
  });

/** A primary whose node is drained goes first, then membership; a set that is as desired may be improved. */
const planReplicas = (view: SetView, lost: readonly ReplicaView[], leader: string | null): Membership => {
  const evacuation = leader === null ? null : evacuate(view, leader);
  if (evacuation !== null) return act(evacuation);
  const membership = planMembership(view, lost, leader);
  const isIdle = membership.actions.length === 0 && membership.blocked === undefined;
  return leader !== null && lost.length === 0 && isIdle ? improve(view, leader) : membership;
};

/**
 * Decides all about one replica set: who leads, which replicas exist and where. At most one change of membership at a
 * time; a settled set plans nothing.
 */
export const planSet = (view: SetView): SetPlan => {
  const election = decideElection(view);
  const leader = election.type === 'keep' ? election.pod : null;
  const losses = findLosses(view, leader);
  const lost = losses.map(({ replica }) => replica);
  const change = planReplicas(view, lost, leader);
  return {
    actions: [...ask(election), ...labels(view, leader), ...upkeep(view, lost), ...change.actions],
    leader,
    term: election.type === 'keep' ? election.term : view.recorded.term,
    members: view.replicas.filter((replica) => !lost.includes(replica)),
    lost: losses.map(({ replica, why }) => ({ pod: replica.pod, why })),
    waitsFor: election.type === 'wait' ? election.why : null,
    blocked: change.blocked ?? null,
    requeueAfterMs: lookAgain(view, election, change.blocked),
  };
};
