import { compareCost, loadOfOthers, placementCost } from './placement.ts';
import { isCaughtUp, type ReplicaView, type SetView } from './view.ts';

/**
 * The replica that a set with more than it wants can best do without: the one whose removal leaves the best spread; of
 * equals one that has not caught up, then a follower, then the youngest. It uses the measure by which `saferNode` moves,
 * so a move is never undone.
 */
export const mostDispensable = (
  replicas: readonly ReplicaView[],
  view: SetView,
  leader: string | null,
): ReplicaView | null => {
  const load = loadOfOthers(view);
  const rank = (replica: ReplicaView) => ({
    replica,
    cost: placementCost(
      replicas.filter((other) => other !== replica),
      load,
    ),
  });
  const ranked = replicas
    .map(rank)
    .sort(
      (a, b) =>
        compareCost(a.cost, b.cost) ||
        Number(isCaughtUp(a.replica, view)) - Number(isCaughtUp(b.replica, view)) ||
        Number(a.replica.pod === leader) - Number(b.replica.pod === leader) ||
        b.replica.number - a.replica.number,
    );
  return ranked[0]?.replica ?? null;
};
