import type { KubeObject, ObjectKey, ObjectRef } from './object.ts';
import type { Resource } from './resource.ts';

/** Computes the values under which an object is found in an index. */
export type IndexFunction<T> = (object: T) => Iterable<string>;

/** One change of the cache. A delete carries the last known object. `initial` marks the first list and what a relist repeats. */
export type Change<T> =
  | { readonly type: 'added'; readonly object: T; readonly old?: undefined; readonly initial: boolean }
  | { readonly type: 'updated'; readonly object: T; readonly old: T; readonly initial: boolean }
  | { readonly type: 'deleted'; readonly object: T; readonly old: T; readonly initial: boolean };

/** Called synchronously after the cache has changed. Must not throw; a throw is logged and dropped. */
export type ChangeHandler<T> = (change: Change<T>) => void;

/**
 * A read-only cache of one resource, kept current by a reflector.
 * Objects are deeply frozen and shared: copy before changing one.
 * The cache may be behind the server (see expectations.ts) but never goes back.
 */
export interface Store<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** True once the first list is complete. Stays true when the server goes away. */
  readonly synced: boolean;
  readonly size: number;
  get(key: ObjectKey | ObjectRef): T | undefined;
  /** All objects, or those of a namespace. A new array in no promised order. */
  list(namespace?: string): T[];
  /** Objects under a value of a named index, declared with the cache. Throws RangeError for an unknown index. */
  by(index: string, value: string): T[];
  /** Objects whose ownerReferences hold this uid. Always indexed. */
  ownedBy(uid: string): T[];
  /** True when the cache is known to have seen all changes up to this resourceVersion of the resource. */
  hasSeen(resourceVersion: string): boolean;
  /** Calls `handler` with an `added` per object held, at once, then with every change. Returns the unsubscribe. */
  subscribe(handler: ChangeHandler<T>): () => void;
}

/** Index of the value of a label. */
export function byLabel(label: string): IndexFunction<KubeObject> {
  return (object) => {
    const value = object.metadata.labels?.[label];
    return value === undefined ? [] : [value];
  };
}
