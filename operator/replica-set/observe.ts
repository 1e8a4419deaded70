import { suspectAfterMs } from '../../contract/heartbeat.ts';
import type { ReplicatedKind } from '../../contract/names.ts';
import type { Fleet } from '../fleet.ts';
import type { Heartbeats } from '../heartbeats.ts';
import type { NodeStates } from '../nodes.ts';
import { annotations, labels } from '../pod-template.ts';
import type { Improvement, NodeView, Presence, ReplicaView, SetView } from '../replicas/view.ts';
import type { PersistentVolumeClaim, Pod } from '../runtime/builtin.ts';
import type { ReplicaSet } from './kind.ts';
import type { SetMemory } from './memory.ts';
import { moveRequestOf } from './move.ts';

/** All that a replica set's view is read from: caches and what the operator hears. */
export interface Sources {
  readonly kind: ReplicatedKind;
  readonly set: ReplicaSet;
  /** Pods with the set's labels. */
  readonly pods: readonly Pod[];
  /** Claims with the set's labels, retained ones of an earlier resource of the name included. */
  readonly claims: readonly PersistentVolumeClaim[];
  readonly heartbeats: Pick<Heartbeats, 'view' | 'evidence' | 'listeningForMs'>;
  readonly nodes: Pick<NodeStates, 'all' | 'get'>;
  readonly fleet: Pick<Fleet, 'loads'>;
  readonly memory: SetMemory;
  readonly templateHash: string;
  /** Why a new template waits; null when it is this set's turn. */
  readonly rollOutWaitsFor: string | null;
  /** What the balance of the fleet asks of this set. */
  readonly improvement: Improvement | null;
  readonly failover: { readonly suspectAfterMs: number; readonly replaceAfterMs: number };
  /** ms since the epoch. */
  readonly now: number;
}

export const defaultFailover = { suspectAfterMs, replaceAfterMs: 10_000 } as const;

/** What a pod's object says about it. */
export const presenceOf = (pod: Pod | undefined): Presence => {
  if (pod === undefined) return 'absent';
  if (pod.metadata.deletionTimestamp !== undefined) return 'terminating';
  const phase = pod.status?.phase;
  if (phase === 'Failed' || phase === 'Succeeded') return 'failed';
  return phase === 'Running' ? 'running' : 'pending';
};

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

const ageMs = (timestamp: string | undefined, now: number): number => {
  const at = Date.parse(timestamp ?? '');
  return Number.isNaN(at) ? 0 : Math.max(0, now - at);
};

const numberOf = (object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } }): number =>
  Number(object.metadata.labels?.[labels.replica] ?? -1);

/** True for a claim that holds data of this very resource and is not on its way out. */
export const isClaimOf = (claim: PersistentVolumeClaim, set: ReplicaSet): boolean =>
  claim.metadata.annotations?.[annotations.owner] === set.metadata.uid;

/** What the pod's object says; a replica without a pod is absent. */
const podFacts = (pod: Pod | undefined, templateHash: string) => ({
  presence: presenceOf(pod),
  ready: isReady(pod),
  outdated: pod !== undefined && pod.metadata.annotations?.[annotations.template] !== templateHash,
  labelledPrimary: pod?.metadata.labels?.[labels.role] === 'primary',
});

const replicaView = (claim: PersistentVolumeClaim, sources: Sources): ReplicaView => {
  const pod = claim.metadata.name.replace(/^data-/, '');
  const object = sources.pods.find(({ metadata }) => metadata.name === pod);
  const seat = claim.metadata.annotations ?? {};
  return {
    pod,
    number: numberOf(claim),
    node: seat[annotations.node] ?? '',
    zone: seat[annotations.zone] ?? '',
    ...podFacts(object, sources.templateHash),
    createdForMs: ageMs((object ?? claim).metadata.creationTimestamp, sources.now),
    beat: sources.heartbeats.view(sources.set.metadata.namespace ?? '', pod),
    refused: sources.memory.isRefused(pod),
    replaces: seat[annotations.replaces] ?? null,
  };
};

const nodeViews = (sources: Sources): NodeView[] => {
  const loads = sources.fleet.loads();
  return sources.nodes.all().map((node) => ({
    name: node.name,
    zone: node.zone,
    usable: node.usable,
    lost: node.lost,
    unusableForMs: node.usable ? 0 : Math.max(0, sources.now - node.since),
    steadyForMs: node.usable ? Math.max(0, sources.now - node.since) : 0,
    ...(loads.get(node.name) ?? { replicas: 0, primaries: 0, rebuilding: 0 }),
  }));
};

/** The first number that no replica has had. */
const nextNumber = (sources: Sources): number =>
  Math.max(
    sources.set.status?.nextReplica ?? 0,
    sources.memory.nextNumber,
    ...[...sources.claims, ...sources.pods].map((object) => numberOf(object) + 1),
  );

/** The primary and term that were decided last: status shows it, or an answer that status does not show yet. */
const recordedOf = ({ set, memory }: Sources): SetView['recorded'] => {
  const { promoted, seenTerm } = memory;
  const { term = 0, primary = null } = set.status ?? {};
  if (promoted !== null && promoted.term >= term) {
    return { primary: promoted.pod, term: Math.max(promoted.term, seenTerm) };
  }
  return { primary, term: Math.max(term, seenTerm) };
};

/** The view of one moment on a replica set. */
export const observeSet = (sources: Sources): SetView => {
  const { set, memory } = sources;
  return {
    desired: set.spec.replicas,
    replicas: sources.claims
      .filter((claim) => isClaimOf(claim, set) && claim.metadata.deletionTimestamp === undefined)
      .map((claim) => replicaView(claim, sources))
      .sort((a, b) => a.number - b.number),
    nodes: nodeViews(sources),
    nextNumber: nextNumber(sources),
    recorded: recordedOf(sources),
    settling: memory.isSettling(sources.failover.suspectAfterMs),
    evidence: sources.heartbeats.evidence(),
    listeningForMs: sources.heartbeats.listeningForMs(),
    inFlight: memory.inFlight,
    elections: memory.elections(),
    rollOutWaitsFor: sources.rollOutWaitsFor,
    move: moveRequestOf(set),
    improvement: sources.improvement,
    ...sources.failover,
  };
};
