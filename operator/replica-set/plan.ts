import type { ReplicatedKind } from '../../contract/names.ts';
import { foreignCondition, foreignRetryMs } from '../foreign.ts';
import type { LogVerdict } from '../messaging.ts';
import { natsGraceMs, type NatsState } from '../nats-link.ts';
import type { ServersView } from '../nats-servers.ts';
import type { SetAction } from '../replicas/action.ts';
import { planSet, type SetPlan } from '../replicas/plan-set.ts';
import { isCaughtUp, type SetView } from '../replicas/view.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import type { ReplicaSet, ReplicaSetStatus } from './kind.ts';
import { moveConditions } from './move.ts';
import { volumesCondition, type VolumesObserved } from './volumes.ts';
import { logOf, planStatus, primaryOf } from './status.ts';

/** What is wrong, or waited for: a word for programs, and a sentence that says what to do. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** What a kind itself says about one of its sets. */
export interface Judgement {
  readonly conditions: readonly DesiredCondition[];
  /** Why the shard may not be served, if so. */
  readonly conflict: string | null;
  /** Why it does not serve yet, though nothing is wrong with it. */
  readonly unready?: Problem;
  /** Why nothing is made for it: no log, no replica, no document. */
  readonly hold?: Problem;
  /** What the kind's status shows besides that of every set. */
  readonly status?: Readonly<Record<string, unknown>>;
}

/** What a plan for a replica set is made from. */
export interface SetObserved {
  readonly kind: ReplicatedKind;
  readonly set: ReplicaSet;
  readonly view: SetView;
  readonly nats: NatsState;
  /** Time that NATS has been away; 0 while it is there. */
  readonly natsAwayMs: number;
  readonly log: LogVerdict;
  /** Gateway pods that are available in the namespace. */
  readonly gateways: number;
  readonly judgement: Judgement;
  /** Pods of the set whose volume is gone, e.g. since a person deleted its claim: they are no replicas any more. */
  readonly orphans: readonly string[];
  /** Objects of wanted names that belong to somebody else. */
  readonly foreign: readonly string[];
  readonly volumes: VolumesObserved;
  readonly servers: ServersView;
  /** Figures that status shows, by name: from the primary's heartbeat; 'unknown' while there is none. */
  readonly figures: Readonly<Record<string, number | 'unknown'>>;
  /** Time since figures were written last. */
  readonly figuresSinceMs: number;
  /** ms since the epoch. */
  readonly now: number;
}

/** A directory entry without what the kind adds. */
export interface SetEntry {
  readonly namespace: string;
  readonly name: string;
  readonly log: { readonly stream: string; readonly created: string } | null;
  readonly members: readonly { readonly pod: string; readonly node: string; readonly zone: string }[];
  readonly primary: string | null;
  readonly term: number;
  readonly conflict: string | null;
}

export interface ReplicaSetPlan {
  /** Also `create-log`: the stream is to be made, once. */
  readonly actions: readonly (SetAction | { readonly type: 'create-log' })[];
  /** Null: leave the directory as it is. */
  readonly entry: SetEntry | null;
  /** Status without the conditions' times. */
  readonly status: Omit<ReplicaSetStatus, 'conditions'> & Readonly<Record<string, unknown>>;
  readonly conditions: readonly DesiredCondition[];
  /** The decisions behind it; null while nothing may be decided. */
  readonly set: SetPlan | null;
  readonly requeueAfterMs?: number | undefined;
}

/** A server that lacks something is looked at this often. */
const unfitRetryMs = 60_000;
/** What a set waits for may be another resource: its changes wake the set, and this is for those that do not. */
const holdRetryMs = 30_000;

const condition = (type: string, status: boolean | 'Unknown', reason: string, message = ''): DesiredCondition => ({
  type,
  status,
  reason,
  message,
});

/** What stands in the way before replicas matter. */
const groundProblem = ({ nats, log, judgement }: SetObserved): Problem | null => {
  if (nats.state === 'unfit') return { reason: 'MessagingUnfit', message: nats.problem };
  if (nats.state === 'away') return { reason: 'MessagingUnavailable', message: nats.problem };
  if (log.type === 'lost') return { reason: 'LogLost', message: log.message };
  if (log.type === 'foreign') return { reason: 'LogForeign', message: log.message };
  if (judgement.conflict !== null) return { reason: 'Conflict', message: judgement.conflict };
  return judgement.hold ?? judgement.unready ?? null;
};

const whyNotReady = (observed: SetObserved, plan: SetPlan | null): Problem | null => {
  const ground = groundProblem(observed);
  if (ground !== null) return ground;
  if (plan === null) return { reason: 'NoPrimary', message: 'the log is being made' };
  if (plan.leader === null) {
    const volumes = volumesCondition(observed.volumes);
    if (volumes.status === false) return { reason: volumes.reason, message: volumes.message ?? '' };
    return { reason: 'NoPrimary', message: plan.waitsFor ?? 'a replica is asked to lead' };
  }
  if (observed.gateways === 0) {
    return { reason: 'GatewayUnavailable', message: `no ${observed.kind}-gateway pod is available` };
  }
  return null;
};

const readyCondition = (observed: SetObserved, plan: SetPlan | null): DesiredCondition => {
  const problem = whyNotReady(observed, plan);
  if (problem === null) return condition('Ready', true, 'Serving', `${plan?.leader ?? ''} accepts writes`);
  return condition('Ready', false, problem.reason, problem.message);
};

const degradedMessage = (observed: SetObserved, plan: SetPlan): string => {
  const { desired } = observed.view;
  const ready = plan.members.filter((member) => isCaughtUp(member, observed.view)).length;
  const parts = [`${ready} of ${desired} replicas are caught up`];
  if (plan.lost.length > 0) parts.push(plan.lost.map(({ why }) => why).join(', '));
  if (plan.blocked !== null) parts.push(plan.blocked);
  return parts.join('; ');
};

const whyNothingDecided = ({ judgement: { hold } }: SetObserved): string =>
  hold === undefined ? 'nothing is decided while the log or NATS is not as it should be' : hold.message;

const progressConditions = (observed: SetObserved, plan: SetPlan | null): DesiredCondition[] => {
  if (plan === null) {
    return [
      condition('Progressing', 'Unknown', 'NothingDecided', whyNothingDecided(observed)),
      condition('Degraded', 'Unknown', 'NothingDecided'),
    ];
  }
  const { view } = observed;
  const ready = plan.members.filter((member) => isCaughtUp(member, view)).length;
  const outdated = plan.members.some((member) => member.outdated);
  const moving = ready !== view.desired || plan.members.length !== view.desired || plan.lost.length > 0 || outdated;
  const message = degradedMessage(observed, plan);
  return [
    moving
      ? condition('Progressing', true, outdated ? 'RollingOut' : 'Reconciling', message)
      : condition('Progressing', false, 'Settled'),
    ready < view.desired
      ? condition('Degraded', true, 'ReplicasMissing', message)
      : condition('Degraded', false, 'AsDesired'),
  ];
};

const logCondition = ({ log }: SetObserved): DesiredCondition => {
  if (log.type === 'lost' || log.type === 'foreign') {
    return condition('LogLost', true, log.type === 'lost' ? 'LogLost' : 'LogForeign', log.message);
  }
  return log.type === 'wait' ? condition('LogLost', 'Unknown', 'NotListed') : condition('LogLost', false, 'LogPresent');
};

/** While it is being found out, what was known before stands: an operator that restarts is no news. */
const durableCondition = ({ servers: { durability }, set }: SetObserved): DesiredCondition => {
  const { state } = durability;
  if (state === 'always') return condition('Durable', true, 'SyncAlways');
  if (state === 'lax') return condition('Durable', false, 'LaxSync', durability.problem);
  if (state === 'unverified') return condition('Durable', 'Unknown', durability.reason, durability.problem);
  const before = set.status?.conditions?.find(({ type }) => type === 'Durable');
  if (before === undefined) return condition('Durable', 'Unknown', 'NotAsked');
  const held = before.status === 'Unknown' ? 'Unknown' : before.status === 'True';
  return condition('Durable', held, before.reason, before.message);
};

/** A server that the operator is not connected to, but pods may be. Reason enough to say so, not to decide nothing. */
const serversCondition = ({ servers: { unfit } }: SetObserved): DesiredCondition[] =>
  unfit === null ? [] : [condition('MessagingUnfit', true, 'ServerUnfit', unfit)];

const planEntry = (observed: SetObserved, plan: SetPlan | null): SetEntry => ({
  namespace: observed.set.metadata.namespace ?? '',
  name: observed.set.metadata.name,
  log: logOf(observed),
  members: (plan?.members ?? observed.view.replicas).map(({ pod, node, zone }) => ({ pod, node, zone })),
  primary: primaryOf(observed, plan),
  term: plan?.term ?? observed.view.recorded.term,
  conflict: observed.judgement.conflict,
});

const keepStatus = (observed: SetObserved): ReplicaSetPlan => ({
  actions: [],
  entry: null,
  status: observed.set.status ?? {},
  conditions: [],
  set: null,
  requeueAfterMs: natsGraceMs,
});

const requeue = ({ nats, log, foreign, judgement }: SetObserved, plan: SetPlan | null): number | undefined => {
  if (nats.state === 'unfit') return unfitRetryMs;
  if (judgement.hold !== undefined) return holdRetryMs;
  if (log.type === 'wait') return nats.state === 'ok' ? 500 : undefined;
  if (log.type === 'create' || log.type === 'adopt') return 0;
  return plan?.requeueAfterMs ?? (foreign.length > 0 ? foreignRetryMs : undefined);
};

/** They go once the set has all that it wants without them. */
const removeOrphans = ({ orphans, view }: SetObserved, { leader, members }: SetPlan): SetAction[] => {
  const ready = members.filter((member) => isCaughtUp(member, view)).length;
  if (leader === null || ready < view.desired) return [];
  return orphans.map((pod) => ({ type: 'delete-pod', pod, why: 'its volume is gone and others have taken its place' }));
};

const decisionsOf = (observed: SetObserved, set: SetPlan | null): Omit<ReplicaSetPlan, 'actions'> => {
  const status = planStatus(observed, set);
  return {
    entry: observed.nats.state === 'ok' && observed.judgement.hold === undefined ? planEntry(observed, set) : null,
    status,
    conditions: [
      readyCondition(observed, set),
      ...progressConditions(observed, set),
      logCondition(observed),
      volumesCondition(observed.volumes),
      durableCondition(observed),
      ...serversCondition(observed),
      ...moveConditions(status.move),
      ...observed.judgement.conditions,
      ...foreignCondition(observed.foreign),
    ],
    set,
    requeueAfterMs: requeue(observed, set),
  };
};

/**
 * Decides all about one DBShard or SearchShard. While NATS is away, unfit, or its log is not the one that was
 * recorded, nothing is decided about replicas: conditions say so. Neither while the kind holds the set back.
 */
export const planReplicaSet = (observed: SetObserved): ReplicaSetPlan => {
  const { nats, log, judgement } = observed;
  if (nats.state === 'away' && observed.natsAwayMs < natsGraceMs) return keepStatus(observed);
  const mayMake = nats.state === 'ok' && judgement.hold === undefined;
  const mayDecide = mayMake && (log.type === 'good' || log.type === 'adopt');
  const set = mayDecide ? planSet(observed.view) : null;
  const makeLog = mayMake && log.type === 'create';
  return {
    ...decisionsOf(observed, set),
    actions: makeLog ? [{ type: 'create-log' }] : set === null ? [] : [...set.actions, ...removeOrphans(observed, set)],
  };
};
