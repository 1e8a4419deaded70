import type { Condition, Pod } from '../api/objects.ts';

/** What a container does now. */
export type ContainerState =
  | { readonly type: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly type: 'running'; readonly startedAt: string }
  | {
      readonly type: 'terminated';
      readonly exitCode: number;
      readonly reason: string;
      /** What it left in its termination log; absent: nothing. */
      readonly message?: string;
      readonly startedAt: string;
      readonly finishedAt: string;
    };

/** One container as the kubelet sees it. */
export interface ContainerReport {
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  readonly last: ContainerState | undefined;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restarts: number;
}

/** Everything that a pod's status is made of. */
export interface PodReport {
  readonly containers: readonly ContainerReport[];
  readonly inits: readonly ContainerReport[];
  readonly initialized: boolean;
  readonly podIP: string;
  readonly hostIP: string;
  readonly startTime: string;
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** A pod's phase: the rules of Kubernetes for its restart policy. */
export const phaseOf = (report: PodReport, restartPolicy: string): Phase => {
  const all = report.containers;
  const ended = all.filter((container) => container.state.type === 'terminated');
  const failed = [...ended, ...report.inits].some(({ state }) => state.type === 'terminated' && state.exitCode !== 0);
  if (restartPolicy === 'Never' && failed && (ended.length === all.length || !report.initialized)) return 'Failed';
  if (restartPolicy !== 'Always' && ended.length === all.length) return failed ? 'Running' : 'Succeeded';
  const begun = all.some(({ state, restarts }) => state.type !== 'waiting' || restarts > 0);
  return begun ? 'Running' : 'Pending';
};

const stateOf = (state: ContainerState): object => {
  const { type, ...rest } = state;
  return { [type]: rest };
};

const containerStatus = (container: ContainerReport): object => ({
  name: container.name,
  image: container.image,
  imageID: container.image,
  ready: container.ready,
  started: container.started,
  restartCount: container.restarts,
  state: stateOf(container.state),
  ...(container.last && { lastState: stateOf(container.last) }),
});

/** The conditions, keeping the transition time of those that did not change. */
const conditionsOf = (wanted: readonly Condition[], old: readonly Condition[], now: string): Condition[] =>
  wanted.map((condition) => {
    const before = old.find(({ type }) => type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? now };
  });

/** The condition that Deployments and Services go by. */
export const readyCondition = ({ status }: Pick<Pod, 'status'>): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready');

/** The `status` of a pod object, to be applied as a strategic merge patch. */
export const podStatus = (pod: Pod, report: PodReport, now: string): Record<string, unknown> => {
  const ready = report.initialized && report.containers.every((container) => container.ready);
  const waiting = report.containers.filter((container) => !container.ready).map((container) => container.name);
  const no = { status: 'False', reason: 'ContainersNotReady', message: `not ready: ${waiting.join(', ')}` } as const;
  const readiness = ready ? ({ status: 'True' } as const) : no;
  const wanted: Condition[] = [
    { type: 'Initialized', status: report.initialized ? 'True' : 'False' },
    { type: 'ContainersReady', ...readiness },
    { type: 'Ready', ...readiness },
  ];
  return {
    phase: phaseOf(report, pod.spec.restartPolicy ?? 'Always'),
    conditions: conditionsOf(wanted, pod.status?.conditions ?? [], now),
    hostIP: report.hostIP,
    podIP: report.podIP,
    podIPs: [{ $patch: 'replace' }, { ip: report.podIP }],
    startTime: report.startTime,
    containerStatuses: report.containers.map(containerStatus),
    ...(report.inits.length > 0 && { initContainerStatuses: report.inits.map(containerStatus) }),
  };
};
