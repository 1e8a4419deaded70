import { isLeaving } from './evacuate.ts';
import { placeReplica, zoneCost } from './placement.ts';
import { isCaughtUp, nodeOf, type MoveRequest, type NodeView, type ReplicaView, type SetView } from './view.ts';

/** What becomes of a move that was asked for. */
export type Move =
  | { readonly type: 'none' }
  | ({ readonly type: 'refused' } & Refusal)
  /** It begins later. */
  | { readonly type: 'waits'; readonly message: string }
  /** The new replica is to be made on this node. */
  | { readonly type: 'begins'; readonly node: string; readonly message: string }
  /** The new replica is there and catches up. */
  | { readonly type: 'copies'; readonly replacement: string; readonly message: string }
  /** It has caught up; the old one goes, after another leads. */
  | { readonly type: 'replaces'; readonly replacement: string; readonly message: string }
  | { readonly type: 'moved'; readonly replacement: string; readonly message: string }
  | { readonly type: 'given-up'; readonly message: string };

/** A word for programs, and a sentence that says what to do. */
interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What a move is judged by, besides the view. */
export interface Standing {
  readonly leader: string | null;
  /** Replicas that are given up, and why. */
  readonly lost: readonly { readonly replica: ReplicaView; readonly why: string }[];
}

/** An operator that listens for less than this has not heard all replicas yet: it finds none unwell. */
const listenedMs = 10_000;

const names = (items: readonly string[]): string => {
  const some = items.slice(0, 12).join(', ');
  return items.length > 12 ? `${some} and ${items.length - 12} more` : some;
};

const refused = (reason: string, message: string): Move => ({ type: 'refused', reason, message });

/** Why a set is not in a state in which one of its replicas may move; null: it is. */
const ailment = (view: SetView, { leader, lost }: Standing): string | null => {
  const [gone] = lost;
  if (gone !== undefined) return gone.why;
  if (leader === null) return 'it has no primary';
  const behind = view.replicas.find((replica) => !isCaughtUp(replica, view));
  if (behind !== undefined) return `${behind.pod} has not caught up`;
  if (view.replicas.length === view.desired) return null;
  return `it has ${view.replicas.length} replicas and is to have ${view.desired}`;
};

/** Whether the replicas are spread as well over zones after the move. What leaves a closed node may go anywhere. */
const keepsSpread = (replica: ReplicaView, target: Pick<NodeView, 'name' | 'zone'>, view: SetView): boolean => {
  if (nodeOf(replica, view)?.usable !== true) return true;
  const after = view.replicas.map((one) => (one === replica ? { node: target.name, zone: target.zone } : one));
  return zoneCost(after) <= zoneCost(view.replicas);
};

/** Why a replica cannot move to a node; null: it can. */
const objectionToNode = (replica: ReplicaView, name: string, view: SetView): Refusal | null => {
  const node = view.nodes.find((one) => one.name === name);
  if (node === undefined) {
    const message = `there is no node ${name}; there are ${names(view.nodes.map((one) => one.name))}`;
    return { reason: 'NoSuchNode', message };
  }
  if (replica.node === name) return { reason: 'AlreadyThere', message: `${replica.pod} is on ${name} already` };
  if (!node.usable) {
    const why = node.lost ? 'is not ready' : 'is cordoned, drained or tainted';
    return { reason: 'NodeNotUsable', message: `node ${name} takes no pods: it ${why}` };
  }
  const other = view.replicas.find((one) => one.node === name);
  if (other !== undefined) {
    const message = `node ${name} holds ${other.pod} of the same shard: two on one node would be lost together`;
    return { reason: 'NodeHoldsReplica', message };
  }
  if (keepsSpread(replica, node, view)) return null;
  const message = `node ${name} is in zone ${node.zone}, which holds another replica of the shard: fewer zones would hold one than now. Choose a node of zone ${replica.zone}, or of one that holds none`;
  return { reason: 'WorseSpread', message };
};

const choose = (replica: ReplicaView, view: SetView): Move | NodeView => {
  const fits = (node: NodeView): boolean => objectionToNode(replica, node.name, view) === null;
  const others = view.replicas.filter((one) => one !== replica);
  // its own node is not free: it is to leave it
  const nodes = view.nodes.filter((node) => node.name !== replica.node);
  const node = placeReplica({ nodes, replicas: others, allowed: (one) => fits(one) && one.rebuilding === 0 });
  if (node !== null) return node;
  const busy = placeReplica({ nodes, replicas: others, allowed: fits });
  if (busy !== null) return { type: 'waits', message: `node ${busy.name} rebuilds another replica first` };
  return refused('NoNode', `no other usable node can hold ${replica.pod} without a worse spread over zones`);
};

const target = (replica: ReplicaView, to: string | null, view: SetView): Move | NodeView => {
  if (to === null) return choose(replica, view);
  const objection = objectionToNode(replica, to, view);
  if (objection !== null) return { type: 'refused', ...objection };
  const node = view.nodes.find(({ name }) => name === to);
  if (node === undefined || node.rebuilding > 0) {
    return { type: 'waits', message: `node ${to} rebuilds another replica first` };
  }
  return node;
};

/** Why a set cannot move one of its replicas now; null: it can. */
const obstacle = (view: SetView, standing: Standing): Move | null => {
  const ill = ailment(view, standing);
  if (view.evidence === 'none') return { type: 'waits', message: 'it is not known how replicas are' };
  if (ill !== null) {
    if (view.listeningForMs < listenedMs) return { type: 'waits', message: 'not all replicas are heard yet' };
    return refused('NotHealthy', `the shard is not healthy: ${ill}. Ask again when all of its replicas are well`);
  }
  if (view.inFlight !== null) return { type: 'waits', message: 'the primary is being changed' };
  if (view.replicas.some((one) => one.outdated && !isLeaving(one, view))) {
    return {
      type: 'waits',
      message: `its template changed: ${view.rollOutWaitsFor ?? 'its pods are made anew first'}`,
    };
  }
  return null;
};

/** A move of which nothing is done yet. */
const begin = (replica: ReplicaView, { to }: MoveRequest, view: SetView, standing: Standing): Move => {
  const found = target(replica, to, view);
  if ('type' in found && found.type === 'refused') return found;
  const why = obstacle(view, standing);
  if (why !== null) return why;
  if ('type' in found) return found;
  return { type: 'begins', node: found.name, message: `a new replica is made on ${found.name}` };
};

/** Both are there: how far the new one is. */
const goOn = (replica: ReplicaView, replacement: ReplicaView, view: SetView, { leader, lost }: Standing): Move => {
  const gone = lost.find((one) => one.replica === replacement);
  if (gone !== undefined) {
    return { type: 'given-up', message: `the new replica ${replacement.pod} was lost: ${gone.why}` };
  }
  if (view.replicas.length <= view.desired) {
    return { type: 'given-up', message: `${replacement.pod} took the place of a replica that was lost meanwhile` };
  }
  const state = { replacement: replacement.pod };
  if (!isCaughtUp(replacement, view)) {
    return { type: 'copies', ...state, message: `${replacement.pod} on ${replacement.node} catches up` };
  }
  const next = replica.pod === leader ? 'another replica leads first, then it goes' : 'it goes';
  return { type: 'replaces', ...state, message: `${replacement.pod} has caught up; ${next}` };
};

/** The replica that was made to take the place of another one. */
export const replacementOf = (pod: string, view: SetView): ReplicaView | undefined =>
  view.replicas.findLast((one) => one.replaces === pod);

/**
 * How far a move is. All of it is read from what is there: a new replica says on its volume claim whose place it takes,
 * so an operator that starts anew goes on where the other one stopped. Pure.
 */
export const judgeMove = (view: SetView, standing: Standing): Move => {
  const { move } = view;
  if (move === null) return { type: 'none' };
  const replica = view.replicas.find(({ pod }) => pod === move.replica);
  const replacement = replacementOf(move.replica, view);
  if (replica === undefined) {
    if (replacement !== undefined) {
      return {
        type: 'moved',
        replacement: replacement.pod,
        message: `it is ${replacement.pod} on ${replacement.node}`,
      };
    }
    const message = `there is no replica ${move.replica}; there are ${names(view.replicas.map(({ pod }) => pod))}`;
    return refused('NoSuchReplica', message);
  }
  if (replacement !== undefined) return goOn(replica, replacement, view, standing);
  if (move.replacement !== null) {
    return { type: 'given-up', message: `the new replica ${move.replacement} is gone` };
  }
  return begin(replica, move, view, standing);
};

/**
 * Who goes first of a set with more replicas than it wants: the one that moved away; or, when nobody asks for the move any
 * more, the new one, unless it leads already. Null: nobody moves.
 */
export const leavesForMove = (
  members: readonly ReplicaView[],
  view: SetView,
  leader: string | null,
): ReplicaView | null => {
  for (const replacement of members.toReversed()) {
    const replaced = members.find(({ pod }) => pod === replacement.replaces);
    if (replaced === undefined) continue;
    const isWanted = view.move?.replica === replaced.pod || replacement.pod === leader;
    return isWanted ? replaced : replacement;
  }
  return null;
};
