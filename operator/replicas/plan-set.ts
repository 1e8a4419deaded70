import type { SetAction } from './action.ts';
import { act, none, switchOver, type Change } from './change.ts';
import { decideElection, type Election } from './election.ts';
import { evacuate, isLeaving } from './evacuate.ts';
import { improve } from './improve.ts';
import { lossOf } from './loss.ts';
import { judgeMove, leavesForMove, type Move } from './move.ts';
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
  /** A move that was asked for. */
  readonly move: Move;
  /** Look again after this time even if nothing happens. */
  readonly requeueAfterMs?: number | undefined;
}

/** Node not ready, or gone: nobody can confirm there that a pod ended. */
const isOnLostNode = (replica: ReplicaView, view: SetView): boolean => nodeOf(replica, view)?.lost ?? true;

/** The first replicas of a new set, all at once: there is nothing to copy. */
const createInitial = (view: SetView, members: readonly ReplicaView[]): Change => {
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
const addOne = (view: SetView, members: readonly ReplicaView[], why: string): Change => {
  const rebuilding = members.find((member) => !isCaughtUp(member, view));
  if (rebuilding) return { actions: [], blocked: `${rebuilding.pod} has to catch up first` };
  const free = (node: NodeView): boolean => node.rebuilding === 0;
  const node = placeReplica({ nodes: view.nodes, replicas: view.replicas, allowed: free });
  if (node !== null) return act({ type: 'create-replica', number: view.nextNumber, node: node.name, why });
  const busy = placeReplica({ nodes: view.nodes, replicas: view.replicas });
  if (busy !== null) return { actions: [], blocked: `node ${busy.name} rebuilds another replica first` };
  return { actions: [], blocked: 'no usable node is left that holds no replica of this shard' };
};

/** Whether a replica may go though others are still missing: one that is useless may, but not one that waits for its successor. */
const mayLeaveEarly = (victim: ReplicaView, members: readonly ReplicaView[], view: SetView): boolean =>
  !isCaughtUp(victim, view) && !members.some(({ replaces }) => replaces === victim.pod);

/** One replica goes: after another has taken over, when it leads. */
const removeOne = (view: SetView, members: readonly ReplicaView[], leader: string | null): Change => {
  const moving = leavesForMove(members, view, leader);
  const victim = moving ?? mostDispensable(members, view, leader);
  if (victim === null) return none;
  const rest = members.filter((member) => member !== victim);
  const readyWithout = rest.filter((member) => isCaughtUp(member, view)).length;
  if (readyWithout < view.desired && !mayLeaveEarly(victim, members, view)) {
    return { actions: [], blocked: `${victim.pod} goes when the others have caught up` };
  }
  if (victim.pod !== leader) {
    const force = isOnLostNode(victim, view);
    const why = moving === null ? 'more replicas than desired' : 'another has its place, for a move';
    return act({ type: 'forget-replica', pod: victim.pod, force, why });
  }
  return switchOver(view, victim.pod, rest, moving === null ? 'the primary is to be removed' : 'the primary moves');
};

const forgetLost = (view: SetView, lost: readonly ReplicaView[], members: readonly ReplicaView[]): Change => {
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

const planMembership = (view: SetView, lost: readonly ReplicaView[], leader: string | null): Change => {
  const members = view.replicas.filter((replica) => !lost.includes(replica));
  if (members.length < view.desired && highestTerm(view) === 0) return createInitial(view, members);
  if (leader === null) return none;
  const forget = forgetLost(view, lost, members);
  if (forget.actions.length > 0) return forget;
  if (members.length > view.desired) return removeOne(view, members, leader);
  if (members.length === view.desired) return none;
  return addOne(view, members, lost.length > 0 ? 'a replica was lost' : 'fewer replicas than desired');
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
  if (view.move !== null) return unsettledMs;
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
const planReplicas = (view: SetView, lost: readonly ReplicaView[], leader: string | null, move: Move): Change => {
  const evacuation = leader === null ? null : evacuate(view, leader);
  if (evacuation !== null) return act(evacuation);
  const membership = planMembership(view, lost, leader);
  const isIdle = membership.actions.length === 0 && membership.blocked === undefined;
  return leader !== null && lost.length === 0 && isIdle ? improve(view, leader, move) : membership;
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
  const move = judgeMove(view, { leader, lost: losses });
  const change = planReplicas(view, lost, leader, move);
  return {
    actions: [...ask(election), ...labels(view, leader), ...upkeep(view, lost), ...change.actions],
    leader,
    term: election.type === 'keep' ? election.term : view.recorded.term,
    members: view.replicas.filter((replica) => !lost.includes(replica)),
    lost: losses.map(({ replica, why }) => ({ pod: replica.pod, why })),
    waitsFor: election.type === 'wait' ? election.why : null,
    blocked: change.blocked ?? null,
    move,
    requeueAfterMs: lookAgain(view, election, change.blocked),
  };
};
