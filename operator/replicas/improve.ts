import { balancingPrimary, saferNode } from './balance.ts';
import { act, none, switchOver, type Change } from './change.ts';
import { isLeaving } from './evacuate.ts';
import { judgeMove, type Move } from './move.ts';
import { highestTerm, isCaughtUp, type SetView } from './view.ts';

/** It is as desired, and nothing is going on. */
export const isSettled = (view: SetView): boolean =>
  view.inFlight === null &&
  view.evidence === 'sound' &&
  view.replicas.length === view.desired &&
  view.replicas.every((replica) => isCaughtUp(replica, view));

/**
 * Template changes, one set at a time and one replica at a time, the primary last and by switch-over. A replica on a
 * node that takes no pods keeps the pod that it has.
 */
const rollOut = (view: SetView, leader: string): Change => {
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

const startMove = (view: SetView, node: string): Change => {
  const { replica = '', why = '' } = view.move ?? {};
  const reason = `it takes the place of ${replica}${why === '' ? '' : `: ${why}`}`;
  return act({ type: 'create-replica', number: view.nextNumber, node, why: reason, replaces: replica });
};

/** What the fleet's balance asks of this set. */
const rebalance = (view: SetView, leader: string): Change => {
  const { improvement } = view;
  const current = view.replicas.find((replica) => replica.pod === leader);
  if (improvement === null || current === undefined) return none;
  const { why } = improvement;
  if (improvement.type === 'lead') {
    const better = balancingPrimary(view, current);
    if (better === null) return none;
    return act({
      type: 'switch-over',
      from: leader,
      pod: better.pod,
      term: highestTerm(view) + 1,
      why,
      forBalance: true,
    });
  }
  const { pod, to } = improvement;
  const move = { replica: pod, to, why, automatic: true, replacement: null };
  const judged = judgeMove({ ...view, move }, { leader, lost: [] });
  return judged.type === 'begins' ? act({ type: 'request-move', pod, to, why }) : none;
};

/** Improvements of a set that is as desired: a new template, what somebody asked for, safety, balance; one at a time. */
export const improve = (view: SetView, leader: string, move: Move): Change => {
  if (!isSettled(view)) return none;
  const rollout = rollOut(view, leader);
  if (rollout.actions.length > 0 || rollout.blocked !== undefined) return rollout;
  if (move.type === 'begins') return startMove(view, move.node);
  const node = saferNode(view);
  if (node !== null) {
    return act({ type: 'create-replica', number: view.nextNumber, node: node.name, why: 'better spread' });
  }
  return move.type === 'none' ? rebalance(view, leader) : none;
};
