import type { SetAction } from './action.ts';
import { candidates } from './election.ts';
import { highestTerm, isCaughtUp, nodeOf, type ReplicaView, type SetView } from './view.ts';

/** Its node works but takes no new pods: cordoned, drained, or tainted. What runs there is about to be evicted. */
export const isLeaving = (replica: ReplicaView, view: SetView): boolean => {
  const node = nodeOf(replica, view);
  return node !== undefined && !node.usable && !node.lost;
};

/**
 * The planned change of the primary that comes before its node is drained: its disruption budget holds the eviction
 * until another leads. Null when it may stay, or when no replica that is caught up runs on a node that stays.
 */
export const evacuate = (view: SetView, leader: string): SetAction | null => {
  const current = view.replicas.find((replica) => replica.pod === leader);
  if (current === undefined || view.inFlight !== null || !isLeaving(current, view)) return null;
  const target = candidates(view, leader).find(
    (replica) => !replica.refused && nodeOf(replica, view)?.usable === true && isCaughtUp(replica, view),
  );
  if (target === undefined) return null;
  const why = `node ${current.node} of ${leader} takes no pods: it is cordoned, drained or tainted`;
  return { type: 'switch-over', from: leader, pod: target.pod, term: highestTerm(view) + 1, why };
};
