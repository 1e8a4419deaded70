import { candidates } from './election.ts';
import { compareCost, loadOfOthers, placementCost } from './placement.ts';
import { nodeOf, type NodeView, type ReplicaView, type SetView } from './view.ts';

/** A node gets no moved replica before it has been usable for this long: it may go again. */
const steadyMs = 10_000;
/** A primary leads for this long before balance moves it: each change is a short gap for writers. */
const leadsMs = 30_000;

const receives = (node: NodeView, view: SetView): boolean =>
  node.usable &&
  node.steadyForMs >= steadyMs &&
  node.rebuilding === 0 &&
  !view.replicas.some((replica) => replica.node === node.name);

/**
 * The node to which one replica should move, when that makes the spread over zones better, or takes a replica from a
 * node that holds at least two more than the target. Each move lowers the sum of squares of what nodes hold, so moves
 * end. Null: as good as it gets.
 */
export const betterNode = (view: SetView): NodeView | null => {
  const load = loadOfOthers(view);
  const current = placementCost(view.replicas, load);
  let best: { readonly node: NodeView; readonly cost: typeof current } | null = null;
  for (const node of view.nodes.filter((candidate) => receives(candidate, view))) {
    for (const source of view.replicas) {
      const after = view.replicas.map((replica) =>
        replica === source ? { node: node.name, zone: node.zone } : replica,
      );
      const cost = placementCost(after, load);
      if (compareCost(cost, current) < 0 && (best === null || compareCost(cost, best.cost) < 0)) best = { node, cost };
    }
  }
  return best?.node ?? null;
};

/** The follower that should lead instead, when the primary's node leads at least two more sets than the follower's. */
export const betterPrimary = (view: SetView, leader: ReplicaView): ReplicaView | null => {
  if ((leader.beat?.stateForMs ?? 0) < leadsMs) return null;
  const here = nodeOf(leader, view)?.primaries ?? 0;
  const others = candidates(view, leader.pod).filter(
    (replica) =>
      !replica.refused && nodeOf(replica, view)?.usable === true && here - (nodeOf(replica, view)?.primaries ?? 0) >= 2,
  );
  others.sort((a, b) => (nodeOf(a, view)?.primaries ?? 0) - (nodeOf(b, view)?.primaries ?? 0));
  return others[0] ?? null;
};
