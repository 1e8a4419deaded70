import { candidates } from './election.ts';
import { compareCost, loadOfOthers, placementCost, type PlacementCost } from './placement.ts';
import { isCaughtUp, nodeOf, type NodeView, type ReplicaView, type SetView } from './view.ts';

/** A node gets no moved replica before it has been usable for this long: it may go again. */
export const steadyMs = 10_000;
/** A primary leads for this long before balance moves it: each change is a short gap for writers. */
export const leadsMs = 30_000;

const receives = (node: NodeView, view: SetView): boolean =>
  node.usable &&
  node.steadyForMs >= steadyMs &&
  node.rebuilding === 0 &&
  !view.replicas.some((replica) => replica.node === node.name);

/** Load and size of nodes are for the whole fleet to look at. */
const isBetter = (a: PlacementCost, b: PlacementCost): boolean => compareCost([a[0], a[1], 0], [b[0], b[1], 0]) < 0;

/**
 * The node to which one replica should move, when that makes the spread over zones better, or takes it from a node that
 * stays closed. Null: as good as it gets. What is about safety waits for no budget.
 */
export const saferNode = (view: SetView): NodeView | null => {
  const load = loadOfOthers(view);
  const current = placementCost(view.replicas, load);
  let best: { readonly node: NodeView; readonly cost: typeof current } | null = null;
  for (const node of view.nodes.filter((candidate) => receives(candidate, view))) {
    for (const source of view.replicas) {
      const after = view.replicas.map((replica) =>
        replica === source ? { node: node.name, zone: node.zone } : replica,
      );
      const cost = placementCost(after, load);
      if (isBetter(cost, current) && (best === null || compareCost(cost, best.cost) < 0)) best = { node, cost };
    }
  }
  return best?.node ?? null;
};

/** The follower that was found fit to lead for a better balance, if that is still so. */
export const balancingPrimary = (view: SetView, leader: ReplicaView): ReplicaView | null => {
  const { improvement } = view;
  if (improvement?.type !== 'lead' || (leader.beat?.stateForMs ?? 0) < leadsMs) return null;
  const isFit = (replica: ReplicaView): boolean =>
    !replica.refused && isCaughtUp(replica, view) && nodeOf(replica, view)?.usable === true;
  return candidates(view, leader.pod).find((replica) => replica.pod === improvement.pod && isFit(replica)) ?? null;
};
