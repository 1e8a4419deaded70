import type { ControllerOptions, WatchSource } from './controller.ts';
import { keyOf, type KubeObject, type ObjectKey } from './object.ts';
import { controllerOf } from './owner.ts';
import type { Resource } from './resource.ts';
import type { Change } from './store.ts';

/** Keys to wake at the start and on resync give way to those that something happened to. */
export const LOW_PRIORITY = -100;

/** Adds a key to a controller's queue. */
export type Wake = (key: ObjectKey, priority: number) => void;

/**
 * Subscribes `wake` to all caches that a controller depends on. What they hold
 * already wakes each key once, however many objects lead to it. Returns the unsubscribe.
 */
export function subscribeAll<T extends KubeObject>(options: ControllerOptions<T>, wake: Wake): () => void {
  const held = new Map<ObjectKey, number>();
  let add: Wake = (key, priority) => void held.set(key, Math.max(priority, held.get(key) ?? -Infinity));
  const ends = [
    options.of.subscribe((change) => {
      if (isReason(change, options.wakeOnStatus ?? false)) add(keyOf(change.object), priorityOf(change));
    }),
  ];
  const owned = (options.owns ?? []).map((store): WatchSource => ({
    store,
    map: (change) => ownersOf(change, options.of.resource),
  }));
  for (const { store, map } of [...owned, ...(options.watches ?? [])]) {
    ends.push(
      store.subscribe((change) => {
        for (const key of map(change)) add(key, priorityOf(change));
      }),
    );
  }
  for (const [key, priority] of held) wake(key, priority);
  held.clear();
  add = wake;
  return () => {
    for (const end of ends) end();
  };
}

/** Whether a change of the reconciled object is one that its controller has to look at: not of its status, which it wrote itself. */
export function isReason(change: Change<KubeObject>, wakeOnStatus: boolean): boolean {
  if (change.type !== 'updated' || wakeOnStatus) return true;
  const now = change.object.metadata;
  const old = change.old.metadata;
  // Resources without a generation (pods' status is counted, services and config maps are not) wake on anything.
  if (now.generation === undefined || now.generation !== old.generation) return true;
  return metadataOf(change.object) !== metadataOf(change.old);
}

function metadataOf(object: KubeObject): string {
  const { uid, labels, annotations, finalizers, ownerReferences, deletionTimestamp } = object.metadata;
  return JSON.stringify([uid, labels, annotations, finalizers, ownerReferences, deletionTimestamp]);
}

function ownersOf(change: Change<KubeObject>, resource: Resource): Set<ObjectKey> {
  const keys = new Set<ObjectKey>();
  for (const object of [change.object, change.old]) {
    const owner = object === undefined ? undefined : controllerOf(object);
    if (object === undefined || owner === undefined || !isOf(owner, resource)) continue;
    const namespace = resource.namespaced ? object.metadata.namespace : undefined;
    keys.add(keyOf(namespace === undefined ? { name: owner.name } : { namespace, name: owner.name }));
  }
  return keys;
}

/** The version of a reference may differ from the one that is watched. */
function isOf(owner: { readonly apiVersion: string; readonly kind: string }, resource: Resource): boolean {
  const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : '';
  return owner.kind === resource.kind && group === resource.group;
}

function priorityOf(change: Change<KubeObject>): number {
  return change.type === 'added' && change.initial ? LOW_PRIORITY : 0;
}
