import type { Occupancy } from '../fleet.ts';
import { isCaughtUp, type SetView } from '../replicas/view.ts';
import type { ReplicaSetPlan } from './plan.ts';

/** A replica that is not caught up after this long takes no place among rebuilds: it may be waiting for a person. */
const rebuildMs = 600_000;

/** The pod that leads, or that is asked to: the next plan of another set must not count on the place that it leaves or takes. */
const leaderToBe = ({ inFlight }: SetView, { actions, set }: ReplicaSetPlan): string | null => {
  const asked = actions.find((action) => action.type === 'promote' || action.type === 'switch-over');
  return asked?.pod ?? inFlight?.pod ?? set?.leader ?? null;
};

/** What a set takes up once its plan is carried out. Pure. */
export const occupancyOf = (view: SetView, plan: ReplicaSetPlan): Occupancy => {
  const made = plan.actions.flatMap((action) => (action.type === 'create-replica' ? [action] : []));
  const rebuilding = view.recorded.term > 0 ? view.replicas.filter((replica) => !isCaughtUp(replica, view)) : [];
  const leader = leaderToBe(view, plan);
  return {
    replicaNodes: [...view.replicas, ...made].map(({ node }) => node),
    primaryNode: view.replicas.find(({ pod }) => pod === leader)?.node ?? null,
    rebuildingNodes: [
      ...rebuilding.filter(({ createdForMs }) => createdForMs < rebuildMs).map(({ node }) => node),
      ...made.filter(({ why }) => why !== 'initial').map(({ node }) => node),
    ],
  };
};
