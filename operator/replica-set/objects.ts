import { servicePorts } from '../../contract/pod-env.ts';
import type { ReplicatedKind } from '../../contract/names.ts';
import { annotations, labels, managedBy, patientTolerations, podSpec, templateHash } from '../pod-template.ts';
import type { PersistentVolumeClaim, Pod, PodDisruptionBudget, Service } from '../runtime/builtin.ts';
import type { Settings } from '../settings.ts';
import { replicaClaim, setLabels, type ReplicaSet } from './kind.ts';

export interface Seat {
  readonly pod: string;
  readonly number: number;
  readonly node: string;
  readonly zone: string;
  /** The replica whose place it takes; null: it was not made for a move. */
  readonly replaces: string | null;
}

const common = (kind: ReplicatedKind, set: ReplicaSet) => ({
  ...setLabels(kind, set.metadata.name),
  [labels.managedBy]: managedBy,
  [labels.partOf]: 'quartet',
});

const namespaceOf = (set: ReplicaSet): string => set.metadata.namespace ?? 'default';

const specFor = (kind: ReplicatedKind, set: ReplicaSet, pod: string, settings: Settings) =>
  podSpec(
    {
      role: kind,
      resource: set.metadata.name,
      port: servicePorts[kind],
      cpu: '50m',
      memory: '128Mi',
      claim: replicaClaim(pod),
      graceSeconds: 10,
    },
    settings,
  );

/** The hash of what all pods of a set share. */
export const setTemplateHash = (kind: ReplicatedKind, set: ReplicaSet, settings: Settings): string =>
  templateHash(specFor(kind, set, '', settings));

/** The pod of a replica: bound to its node, where its volume is; never beside another of its set. */
export const replicaPodObject = (kind: ReplicatedKind, set: ReplicaSet, seat: Seat, settings: Settings): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: seat.pod,
    namespace: namespaceOf(set),
    labels: { ...common(kind, set), [labels.replica]: String(seat.number), [labels.role]: 'replica' },
    annotations: {
      [annotations.node]: seat.node,
      [annotations.zone]: seat.zone,
      [annotations.template]: setTemplateHash(kind, set, settings),
    },
  },
  spec: {
    ...specFor(kind, set, seat.pod, settings),
    restartPolicy: 'Always',
    tolerations: patientTolerations,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [seat.node] }] }],
        },
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            labelSelector: { matchLabels: setLabels(kind, set.metadata.name) },
            topologyKey: 'kubernetes.io/hostname',
          },
        ],
      },
    },
  },
});

/** The volume claim of a replica. No owner reference: whether it goes with the resource is for the policy to say. */
export const replicaClaimObject = (
  kind: ReplicatedKind,
  set: ReplicaSet,
  seat: Seat,
  settings: Settings,
): PersistentVolumeClaim => {
  const storageClass = set.spec.storage.className || settings.storageClass;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: replicaClaim(seat.pod),
      namespace: namespaceOf(set),
      labels: { ...common(kind, set), [labels.replica]: String(seat.number) },
      annotations: {
        [annotations.node]: seat.node,
        [annotations.zone]: seat.zone,
        [annotations.owner]: set.metadata.uid ?? '',
        ...(seat.replaces !== null && { [annotations.replaces]: seat.replaces }),
      },
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: set.spec.storage.size } },
      ...(storageClass === '' ? {} : { storageClassName: storageClass }),
    },
  };
};

const budget = (kind: ReplicatedKind, set: ReplicaSet, role: 'primary' | 'replica', minAvailable: number) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: {
    name: role === 'primary' ? `${kind}-${set.metadata.name}-primary` : `${kind}-${set.metadata.name}`,
    namespace: namespaceOf(set),
    labels: common(kind, set),
  },
  spec: { minAvailable, selector: { matchLabels: { ...setLabels(kind, set.metadata.name), [labels.role]: role } } },
});

/**
 * Voluntary disruptions take one follower at a time, and never a primary that another can succeed: an eviction of it is
 * refused until the operator has moved the lead, and with it the label by which the budgets select. A set of one has
 * nobody to move to, so its pod may go: else its node could never be drained. A pod must not have two budgets.
 */
export const disruptionBudgets = (kind: ReplicatedKind, set: ReplicaSet): readonly PodDisruptionBudget[] => [
  budget(kind, set, 'replica', Math.max(0, set.spec.replicas - 2)),
  budget(kind, set, 'primary', Math.min(1, set.spec.replicas - 1)),
];

/** The Service of a database shard's primary: the operator moves the label that it selects. */
export const primaryService = (set: ReplicaSet): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `${set.metadata.name}-primary`, namespace: namespaceOf(set), labels: common('db', set) },
  spec: {
    type: 'ClusterIP',
    selector: { ...setLabels('db', set.metadata.name), [labels.role]: 'primary' },
    ports: [{ name: 'redis', port: servicePorts.db, targetPort: servicePorts.db, protocol: 'TCP' }],
  },
});
