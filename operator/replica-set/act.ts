import type { ReplicaSetId, ReplicatedKind } from '../../contract/names.ts';
import { moveAnnotations, moveText } from '../../crds/move.ts';
import type { Operation } from '../operation.ts';
import { labels } from '../pod-template.ts';
import type { SetAction } from '../replicas/action.ts';
import type { SetView } from '../replicas/view.ts';
import { persistentVolumeClaims, pods } from '../runtime/builtin.ts';
import type { EventNote } from '../runtime/events.ts';
import type { Resource } from '../runtime/resource.ts';
import type { Writer } from '../runtime/writer.ts';
import { replicaClaim, replicaPod, type ReplicaSet } from './kind.ts';
import type { SetMemory } from './memory.ts';
import { replicaClaimObject, replicaPodObject, type Seat } from './objects.ts';
import { startPromotion } from './promotion.ts';

export type Action = SetAction | { readonly type: 'create-log' };

export interface ActContext {
  readonly kind: ReplicatedKind;
  readonly set: ReplicaSet;
  readonly resource: Resource;
  readonly view: SetView;
  readonly memory: SetMemory;
  readonly operation: Operation;
  readonly writer: Writer;
  readonly note: (event: EventNote) => void;
  readonly wake: () => void;
}

const namespaceOf = (set: ReplicaSet): string => set.metadata.namespace ?? '';

const setId = ({ kind, set }: ActContext): ReplicaSetId => ({
  kind,
  namespace: namespaceOf(set),
  name: set.metadata.name,
});

const createPod = async (seat: Seat, context: ActContext): Promise<void> => {
  const { kind, set, operation, writer, note, memory, wake } = context;
  const desired = replicaPodObject(kind, set, seat, operation.settings);
  const outcome = await writer.apply(pods, { desired, owner: set });
  if (outcome.result !== 'foreign') {
    memory.foreignPods.delete(seat.pod);
    return;
  }
  note({
    type: 'Warning',
    reason: 'NameTaken',
    note: `Pod ${seat.pod} exists and belongs to another: it is left alone; delete it, and the replica is made`,
  });
  if (memory.foreignPods.has(seat.pod)) return;
  memory.foreignPods.add(seat.pod);
  // the condition tells of it from the next plan on
  wake();
};

const createReplica = async (
  action: Extract<Action, { type: 'create-replica' }>,
  context: ActContext,
): Promise<void> => {
  const { kind, set, view, operation, writer, memory, note } = context;
  const pod = replicaPod(kind, set.metadata.name, action.number);
  const zone = view.nodes.find(({ name }) => name === action.node)?.zone ?? '';
  const seat = { pod, number: action.number, node: action.node, zone, replaces: action.replaces ?? null };
  memory.nextNumber = Math.max(memory.nextNumber, action.number + 1);
  const desired = replicaClaimObject(kind, set, seat, operation.settings);
  const outcome = await writer.apply(persistentVolumeClaims, {
    desired,
    mine: (live) => live.metadata.annotations?.['quartet.dev/owner'] === set.metadata.uid,
  });
  if (outcome.result === 'foreign') {
    note({ type: 'Warning', reason: 'NameTaken', note: `claim ${replicaClaim(pod)} exists and belongs to another` });
    return;
  }
  await createPod(seat, context);
  operation.measures.replicas.inc({ kind, change: 'made' });
  if (action.why !== 'initial') {
    note({ type: 'Normal', reason: 'ReplicaAdded', note: `${pod} is made on ${action.node}: ${action.why}` });
  }
};

const podObject = (pod: string, { operation, set }: ActContext) =>
  operation.caches.pods.get({ namespace: namespaceOf(set), name: pod });

const forgetReplica = async (
  action: Extract<Action, { type: 'forget-replica' }>,
  context: ActContext,
): Promise<void> => {
  const { kind, set, operation, writer, note } = context;
  const object = podObject(action.pod, context);
  if (object) await writer.remove(pods, object, action.force ? { gracePeriodSeconds: 0 } : {});
  const claim = operation.caches.claims.get({ namespace: namespaceOf(set), name: replicaClaim(action.pod) });
  if (claim) await writer.remove(persistentVolumeClaims, claim);
  operation.heartbeats.forget(namespaceOf(set), action.pod);
  operation.measures.replicas.inc({ kind, change: 'forgotten' });
  note({ type: 'Normal', reason: 'ReplicaForgotten', note: `${action.pod} and its volume are removed: ${action.why}` });
};

const deletePod = async (action: Extract<Action, { type: 'delete-pod' }>, context: ActContext): Promise<void> => {
  const object = podObject(action.pod, context);
  if (object === undefined) return;
  await context.writer.remove(pods, object);
  context.note({ type: 'Normal', reason: 'PodRestarted', note: `${action.pod} is made anew: ${action.why}` });
};

const labelPod = async (action: Extract<Action, { type: 'label' }>, context: ActContext): Promise<void> => {
  const object = podObject(action.pod, context);
  if (object === undefined) return;
  await context.writer.annotate(pods, object, { labels: { [labels.role]: action.primary ? 'primary' : 'replica' } });
};

const requestMove = async (
  { pod, to, why }: Extract<Action, { type: 'request-move' }>,
  { set, resource, writer }: ActContext,
): Promise<void> => {
  const text = moveText({ replica: pod, to });
  const annotations = { [moveAnnotations.move]: text, [moveAnnotations.forBalance]: why };
  await writer.annotate(resource, set, { annotations });
};

const promote = (action: Extract<Action, { type: 'promote' | 'switch-over' }>, context: ActContext): void => {
  const { kind, set, operation, memory, note, wake } = context;
  const { commands, measures } = operation;
  void startPromotion(action, { kind, namespace: namespaceOf(set), commands, measures, memory, note, wake });
};

/** Carries out one action of a plan. Rejects with KubeError or OperatorError; the reconcile is then tried again. */
export const act = async (action: Action, context: ActContext): Promise<void> => {
  switch (action.type) {
    case 'create-log':
      return context.operation.logs.create(setId(context), context.set.metadata.uid ?? '');
    case 'create-replica':
      return createReplica(action, context);
    case 'create-pod': {
      const replica = context.view.replicas.find(({ pod }) => pod === action.pod);
      return replica && createPod(replica, context);
    }
    case 'delete-pod':
      return deletePod(action, context);
    case 'forget-replica':
      return forgetReplica(action, context);
    case 'request-move':
      return requestMove(action, context);
    case 'label':
      return labelPod(action, context);
    default:
      return promote(action, context);
  }
};
