import { ChatRoomReconciler } from './chat-room/controller.ts';
import type { ChatReports } from './chat-room/reports.ts';
import { resourceOf } from './caches.ts';
import { dbShardKind } from './db-shard/controller.ts';
import { EdgeNodeReconciler } from './edge-node/controller.ts';
import { gatewayKey, reconcileGateway } from './gateways/controller.ts';
import type { GatewayRole } from './gateways/plan.ts';
import type { Operation } from './operation.ts';
import { labels } from './pod-template.ts';
import { ReplicaSetReconciler, type SetKind } from './replica-set/controller.ts';
import type { ReplicaSet } from './replica-set/kind.ts';
import type { Deployment } from './runtime/builtin.ts';
import { watch, type Controller, type WatchSource } from './runtime/controller.ts';
import type { Manager } from './runtime/manager.ts';
import { keyOf, type KubeObject, type ObjectKey } from './runtime/object.ts';
import type { Change, Store } from './runtime/store.ts';
import { searchShardKind } from './search-shard/controller.ts';

/** The controllers that things outside of Kubernetes wake. */
export interface Controllers {
  readonly db: Controller;
  readonly search: Controller;
  readonly chat: Controller;
  readonly edge: Controller;
}

/** Keys of the resources of a namespace. */
const keysIn = (store: Store<never>, namespace: string | undefined): ObjectKey[] =>
  (store as unknown as Store<KubeObject>).list(namespace).map(keyOf);

/** Wakes the resource that an object was made for, by its labels. */
const byLabels = (kind: string) => (change: Change<KubeObject>) => {
  const resource = resourceOf(change.object);
  return resource?.startsWith(`${kind}/`) ? [resource.slice(kind.length + 1)] : [];
};

const available = (deployment: Deployment | undefined): boolean => (deployment?.status?.availableReplicas ?? 0) > 0;

/** A gateway that comes or goes changes whether the resources of its namespace are ready. */
const onGateway = (role: GatewayRole, store: Store<never>, { caches }: Operation): WatchSource =>
  watch(caches.deployments, ({ type, object, old }) => {
    if (object.metadata.labels?.[labels.gateway] !== role) return [];
    const now = type !== 'deleted' && available(object);
    return now === available(old) ? [] : keysIn(store, object.metadata.namespace);
  });

const specChanged = ({ type, object, old }: Change<KubeObject>): boolean =>
  type !== 'updated' ||
  object.metadata.generation !== old.metadata.generation ||
  object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp;

const replicaSets = <T extends ReplicaSet>(manager: Manager, operation: Operation, kind: SetKind<T>): Controller => {
  const { caches } = operation;
  const reconciler = new ReplicaSetReconciler(kind, operation);
  const store = kind.cache as unknown as Store<never>;
  const controller = manager.controller<T>({
    name: `quartet-${kind.kind}-shard`,
    of: kind.cache,
    owns: [caches.pods, caches.services, caches.budgets],
    watches: [
      watch(caches.claims, byLabels(kind.kind)),
      onGateway(`${kind.kind}-gateway`, store, operation),
      // ranges and ordinals are judged against the siblings of the namespace
      watch(kind.cache as unknown as Store<KubeObject>, (change) =>
        specChanged(change) ? keysIn(store, change.object.metadata.namespace) : [],
      ),
    ],
    concurrency: 8,
    reconcile: (key, context) => reconciler.reconcile(key, context),
  });
  reconciler.attach(controller);
  return controller;
};

const edges = (manager: Manager, operation: Operation): Controller => {
  const { caches } = operation;
  const reconciler = new EdgeNodeReconciler(operation);
  return manager.controller({
    name: 'quartet-edge-node',
    of: caches.edgeNodes,
    owns: [caches.deployments],
    watches: [
      watch(caches.pods, byLabels('edge')),
      onGateway('edge-router', caches.edgeNodes as unknown as Store<never>, operation),
      watch(caches.services, ({ object: { metadata } }) =>
        caches.edgeNodes
          .list(metadata.namespace)
          .filter(({ spec }) => spec.origins.some(({ service }) => service?.name === metadata.name))
          .map(keyOf),
      ),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
  });
};

const rooms = (manager: Manager, operation: Operation, reports: ChatReports): Controller => {
  const { caches } = operation;
  const reconciler = new ChatRoomReconciler(operation, reports);
  return manager.controller({
    name: 'quartet-chat-room',
    of: caches.chatRooms,
    watches: [onGateway('chat-gateway', caches.chatRooms as unknown as Store<never>, operation)],
    reconcile: (key, context) => reconciler.reconcile(key, context),
  });
};

const gateway = (manager: Manager, operation: Operation, role: GatewayRole, kinds: Store<never>): Controller => {
  const { deployments, services, budgets } = operation.caches;
  const onObject = (store: Store<never>): WatchSource =>
    watch(store as unknown as Store<KubeObject>, ({ object: { metadata } }) =>
      metadata.labels?.[labels.gateway] === role ? [gatewayKey(metadata.namespace)] : [],
    );
  const store = kinds as unknown as Store<KubeObject>;
  return manager.controller<KubeObject>({
    name: `quartet-${role}`,
    of: store,
    watches: [deployments, services, budgets].map((cache) => onObject(cache as unknown as Store<never>)),
    // two resources of a namespace share its gateway
    concurrency: 1,
    reconcile: reconcileGateway(role, store, operation),
  });
};

/** Declares all controllers. */
export const declareControllers = (manager: Manager, operation: Operation, reports: ChatReports): Controllers => {
  const { caches } = operation;
  const asStore = (store: unknown): Store<never> => store as Store<never>;
  gateway(manager, operation, 'edge-router', asStore(caches.edgeNodes));
  gateway(manager, operation, 'search-gateway', asStore(caches.searchShards));
  gateway(manager, operation, 'chat-gateway', asStore(caches.chatRooms));
  gateway(manager, operation, 'db-gateway', asStore(caches.dbShards));
  return {
    db: replicaSets(manager, operation, dbShardKind(operation)),
    search: replicaSets(manager, operation, searchShardKind(operation)),
    chat: rooms(manager, operation, reports),
    edge: edges(manager, operation),
  };
};
