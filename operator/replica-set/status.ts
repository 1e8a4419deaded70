import type { SetPlan } from '../replicas/plan-set.ts';
import { appliedOf, isCaughtUp, isFresh, type ReplicaView, type SetView } from '../replicas/view.ts';
import { showFigures } from './figures.ts';
import { planMoveStatus } from './move.ts';
import { setSelector, type ReplicaSetStatus } from './kind.ts';
import type { SetEntry, SetObserved } from './plan.ts';

type Status = Omit<ReplicaSetStatus, 'conditions'> & Readonly<Record<string, unknown>>;
type Members = NonNullable<ReplicaSetStatus['members']>;

/** The log as the directory and status tell it: null until it was made. */
export const logOf = ({ log, set }: SetObserved): SetEntry['log'] => {
  if (log.type === 'good' || log.type === 'adopt') return log.log;
  return set.status?.log ?? null;
};

/** Who leads, as far as is known. */
export const primaryOf = ({ view }: SetObserved, plan: SetPlan | null): string | null =>
  plan === null ? view.recorded.primary : plan.leader;

const stateOf = (replica: ReplicaView, view: SetView, lost: boolean): string => {
  if (lost) return 'lost';
  if (isFresh(replica, view)) return replica.beat?.state ?? 'silent';
  return replica.presence === 'running' ? 'silent' : replica.presence;
};

/** Figures to show: those known now, else those shown already. */
const planFigures = ({ set, figures, figuresSinceMs }: SetObserved): Record<string, number> => {
  const held = (set.status ?? {}) as Readonly<Record<string, unknown>>;
  const shown: Record<string, number> = {};
  const measured: Record<string, number> = {};
  for (const [name, value] of Object.entries(figures)) {
    const before = held[name];
    if (typeof before === 'number') shown[name] = before;
    if (value !== 'unknown') measured[name] = value;
    else if (typeof before === 'number') measured[name] = before;
  }
  return showFigures(shown, measured, figuresSinceMs);
};

const planMembers = ({ view }: SetObserved, plan: SetPlan | null): Members => {
  const lost = new Set(plan?.lost.map(({ pod }) => pod));
  return view.replicas.map((replica) => ({
    pod: replica.pod,
    node: replica.node,
    zone: replica.zone,
    state: stateOf(replica, view, lost.has(replica.pod)),
    ...(isFresh(replica, view) && replica.beat?.reason !== undefined ? { message: replica.beat.reason } : {}),
    applied: appliedOf(replica),
  }));
};

/** The move that goes on, or the last one. */
const planMove = ({ set, view, figures, now }: SetObserved, plan: SetPlan | null) => {
  const bytes = figures['bytes'] === 'unknown' ? 0 : (figures['bytes'] ?? 0);
  return planMoveStatus({ view, move: plan?.move ?? null, shown: set.status?.move, bytes, now });
};

/** Positions move all the time: they are no reason to write a status, and are up to date when there is another one. */
const withoutPositions = (status: Status): string => {
  const members = status.members?.map(({ applied: _applied, ...rest }) => rest);
  const sorted = Object.entries({ ...status, members, conditions: undefined }).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted);
};

/** Status of a replica set, without conditions. */
export const planStatus = (observed: SetObserved, plan: SetPlan | null): Status => {
  const { set, view, kind } = observed;
  const log = logOf(observed);
  const primary = primaryOf(observed, plan);
  const move = planMove(observed, plan);
  const status: Status = {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas: view.replicas.length,
    readyReplicas: view.replicas.filter((replica) => isCaughtUp(replica, view)).length,
    selector: setSelector(kind, set.metadata.name),
    ...(primary === null ? {} : { primary }),
    term: plan?.term ?? view.recorded.term,
    ...(log === null ? {} : { log }),
    ...(move !== undefined && { move }),
    nextReplica: view.nextNumber,
    members: planMembers(observed, plan),
    ...planFigures(observed),
    ...observed.judgement.status,
  };
  const before = set.status;
  if (before === undefined || withoutPositions(status) !== withoutPositions(before as Status)) return status;
  return { ...status, members: before.members };
};
