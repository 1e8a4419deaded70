import { moveGoesOn, type MoveStatus } from '../../crds/replica-set.ts';
import type { Occupancy, SetStanding } from '../fleet.ts';
import { isSettled } from '../replicas/improve.ts';
import { isCaughtUp, type SetView } from '../replicas/view.ts';
import type { ReplicaSetPlan } from './plan.ts';

/** A replica that is not caught up after this long takes no place among rebuilds: it may be waiting for a person. */
const rebuildMs = 600_000;

/** The pod that leads, or that is asked to: the next plan of another set must not count on the place that it leaves or takes. */
const leaderToBe = ({ inFlight }: SetView, { actions, set }: ReplicaSetPlan): string | null => {
  const asked = actions.find((action) => action.type === 'promote' || action.type === 'switch-over');
  return asked?.pod ?? inFlight?.pod ?? set?.leader ?? null;
};

/** Where replicas are when a move that goes on is over. */
const seatsOf = (view: SetView, { status: { move } }: ReplicaSetPlan): SetStanding['seats'] => {
  const leaving = view.replicas.find(({ pod }) => moveGoesOn(move) && pod === move?.replica);
  const target = view.nodes.find(({ name }) => name === move?.to);
  return view.replicas
    .filter((replica) => replica !== leaving || !view.replicas.some(({ replaces }) => replaces === replica.pod))
    .map(({ pod, node, zone }) =>
      pod === leaving?.pod && target !== undefined
        ? { pod, node: target.name, zone: target.zone }
        : { pod, node, zone },
    );
};

/** A wish of a person that was refused changed nothing; one of the operator's own is not repeated at once. */
const lastMoveOf = (move: MoveStatus | undefined): SetStanding['lastMove'] => {
  if (move?.ended === undefined) return null;
  const ended = Date.parse(move.ended);
  if (move.phase !== 'Refused') return { ended, bytes: move.bytes ?? 0 };
  return move.forBalance ? { ended, bytes: 0 } : null;
};

/** Nothing is planned, wanted or going on: keys that change hands neither, since bytes lie twice meanwhile. */
const isQuiet = (view: SetView, { actions, set, status }: ReplicaSetPlan): boolean =>
  actions.length === 0 &&
  set !== null &&
  set.leader !== null &&
  isSettled(view) &&
  status['split'] === undefined &&
  status['merge'] === undefined &&
  !view.replicas.some(({ outdated }) => outdated);

const standingOf = (view: SetView, plan: ReplicaSetPlan): SetStanding => {
  const { move } = plan.status;
  return {
    seats: seatsOf(view, plan),
    leader: plan.set?.leader ?? null,
    settled: isQuiet(view, plan),
    move: moveGoesOn(move) ? { bytes: move?.bytes ?? 0 } : null,
    lastMove: lastMoveOf(move),
  };
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
    standing: standingOf(view, plan),
  };
};
