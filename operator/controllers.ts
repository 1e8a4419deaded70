import { ChatRoomReconciler } from './chat-room/controller.ts';
import type { ChatReports } from './chat-room/reports.ts';
import { resourceOf } from './caches.ts';
import { DbBackupReconciler } from './db-backup/controller.ts';
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
const keysIn = (store: Store<KubeObject>, namespace: string | undefined): ObjectKey[] =>
  store.list(namespace).map(keyOf);

/** Wakes the resource that an object was made for, by its labels. */
const byLabels = (kind: string) => (change: Change<KubeObject>) => {
  const resource = resourceOf(change.object);
  return resource?.startsWith(`${kind}/`) ? [resource.slice(kind.length + 1)] : [];
};

const available = (deployment: Deployment | undefined): boolean => (deployment?.status?.availableReplicas ?? 0) > 0;

/** A gateway that comes or goes changes whether the resources of its namespace are ready. */
const onGateway = (role: GatewayRole, store: Store<KubeObject>, { caches }: Operation): WatchSource =>
  watch(caches.deployments, ({ type, object, old }) => {
    if (object.metadata.labels?.[labels.gateway] !== role) return [];
    const now = type !== 'deleted' && available(object);
    return now === available(old) ? [] : keysIn(store, object.metadata.namespace);
  });

const specChanged = ({ type, object, old }: Change<KubeObject>): boolean =>
  type !== 'updated' ||
  object.metadata.generation !== old.metadata.generation ||
  object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp;

/** A change that siblings of the shard look at. */
const mattersToSiblings = <T extends ReplicaSet>(kind: SetKind<T>, change: Change<T>): boolean => {
  if (specChanged(change) || change.type !== 'updated') return true;
  const shared = (shard: T): string => JSON.stringify(kind.shared?.(shard) ?? null);
  return shared(change.object) !== shared(change.old);
};

const siblings = <T extends ReplicaSet>({ cache, family }: SetKind<T>, shard: T): T[] =>
  cache.list(shard.metadata.namespace).filter((other) => family(other) === family(shard));

const replicaSets = <T extends ReplicaSet>(manager: Manager, operation: Operation, kind: SetKind<T>): Controller => {
  const { caches } = operation;
  const reconciler = new ReplicaSetReconciler(kind, operation);
  const controller = manager.controller<T>({
    name: `quartet-${kind.kind}-shard`,
    of: kind.cache,
    owns: [caches.pods, caches.services, caches.budgets],
    watches: [
      watch(caches.claims, byLabels(kind.kind)),
      watch(caches.storageClasses, () => keysIn(kind.cache, undefined)),
      onGateway(`${kind.kind}-gateway`, kind.cache, operation),
      // ranges and ordinals are judged against the siblings: the shards of the same database or index
      watch(kind.cache, (change) => (mattersToSiblings(kind, change) ? siblings(kind, change.object).map(keyOf) : [])),
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
    owns: [caches.deployments, caches.budgets],
    watches: [
      watch(caches.pods, byLabels('edge')),
      onGateway('edge-router', caches.edgeNodes, operation),
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
    watches: [onGateway('chat-gateway', caches.chatRooms, operation)],
    reconcile: (key, context) => reconciler.reconcile(key, context),
  });
};

const backups = (manager: Manager, operation: Operation): Controller => {
  const { caches } = operation;
  const reconciler = new DbBackupReconciler(operation);
  return manager.controller({
    name: 'quartet-db-backup',
    of: caches.dbBackups,
    owns: [caches.pods, caches.networkPolicies],
    watches: [
      // without its database nothing is due
      watch(caches.dbShards, ({ type, object: { metadata, spec } }) =>
        type === 'updated'
          ? []
          : caches.dbBackups
              .list(metadata.namespace)
              .filter((backup) => backup.spec.database === spec.database)
              .map(keyOf),
      ),
    ],
    reconcile: (key, context) => reconciler.reconcile(key, context),
  });
};

const gateway = (manager: Manager, operation: Operation, role: GatewayRole, store: Store<KubeObject>): Controller => {
  const { deployments, services, budgets, networkPolicies } = operation.caches;
  const onObject = (made: Store<KubeObject>): WatchSource =>
    watch(made, ({ object: { metadata } }) =>
      metadata.labels?.[labels.gateway] === role ? [gatewayKey(metadata.namespace)] : [],
    );
  return manager.controller<KubeObject>({
    name: `quartet-${role}`,
    of: store,
    watches: [deployments, services, budgets, networkPolicies].map(onObject),
    // two resources of a namespace share its gateway
    concurrency: 1,
    reconcile: reconcileGateway(role, store, operation),
  });
};

/** Declares all controllers. */
export const declareControllers = (manager: Manager, operation: Operation, reports: ChatReports): Controllers => {
  const { caches } = operation;
  gateway(manager, operation, 'edge-router', caches.edgeNodes);
  gateway(manager, operation, 'search-gateway', caches.searchShards);
  gateway(manager, operation, 'chat-gateway', caches.chatRooms);
  gateway(manager, operation, 'db-gateway', caches.dbShards);
  backups(manager, operation);
  const controllers = {
    db: replicaSets(manager, operation, dbShardKind(operation)),
    search: replicaSets(manager, operation, searchShardKind(operation)),
    chat: rooms(manager, operation, reports),
    edge: edges(manager, operation),
  };
  const users = {
    'edge-router': [controllers.edge, caches.edgeNodes],
    'search-gateway': [controllers.search, caches.searchShards],
    'chat-gateway': [controllers.chat, caches.chatRooms],
    'db-gateway': [controllers.db, caches.dbShards],
  } as const satisfies Record<GatewayRole, readonly [Controller, Store<KubeObject>]>;
  operation.foreign.onChange((role, namespace) => {
    const [controller, store] = users[role];
    for (const key of keysIn(store, namespace)) controller.wake(key);
  });
  return controllers;
};
