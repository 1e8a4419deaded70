import type { KubeObject, ObjectKey, ObjectRef } from './object.ts';
import { keyOf } from './object.ts';
import type { Resource } from './resource.ts';
import { compareRevisions, newerRevision } from './revision.ts';
import type { Change, ChangeHandler, IndexFunction, Store } from './store.ts';

/** How the reflector fills a store. */
export interface WritableStore<T extends KubeObject> extends Store<T> {
  /** Adds or replaces one object. An object older than the one held is ignored, unless it comes from a list: that is how things are now. */
  put(object: T, initial?: boolean): void;
  /** Takes one object away. */
  drop(object: T, initial?: boolean): void;
  /** Takes away what a complete list of version `resourceVersion` did not hold, and counts the store as synced. */
  complete(listed: ReadonlySet<ObjectKey>, resourceVersion: string): void;
  /** Notes that all changes up to this version have been seen. */
  progress(resourceVersion: string): void;
}

const OWNER_INDEX = 'metadata.ownerReferences.uid';
const byOwner: IndexFunction<KubeObject> = (object) =>
  (object.metadata.ownerReferences ?? []).map((reference) => reference.uid);

/** What a store is told about the errors of its handlers. */
export type OnHandlerError = (error: unknown) => void;

/** The store in memory: a map by key and, per index, a map from value to keys. */
export class ObjectStore<T extends KubeObject> implements WritableStore<T> {
  readonly resource: Resource<T>;
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes = new Map<string, ObjectIndex<T>>();
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #onHandlerError: OnHandlerError;
  #synced = false;
  #seen = '';

  constructor(
    resource: Resource<T>,
    indexes: Readonly<Record<string, IndexFunction<T>>> = {},
    onHandlerError: OnHandlerError = () => undefined,
  ) {
    this.resource = resource;
    this.#onHandlerError = onHandlerError;
    this.#indexes.set(OWNER_INDEX, new ObjectIndex<T>(byOwner));
    for (const [name, index] of Object.entries(indexes)) this.#indexes.set(name, new ObjectIndex(index));
  }

  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey | ObjectRef): T | undefined {
    return this.#objects.get(typeof key === 'string' ? key : keyOf(key));
  }

  list(namespace?: string): T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  by(index: string, value: string): T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new RangeError(`no index ${index} over ${this.resource.plural}`);
    const objects: T[] = [];
    for (const key of found.keys(value)) {
      const object = this.#objects.get(key);
      if (object !== undefined) objects.push(object);
    }
    return objects;
  }

  ownedBy(uid: string): T[] {
    return this.by(OWNER_INDEX, uid);
  }

  hasSeen(resourceVersion: string): boolean {
    return this.#seen !== '' && compareRevisions(this.#seen, resourceVersion) >= 0;
  }

  subscribe(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#objects.values()) this.#call(handler, { type: 'added', object, initial: true });
    return () => this.#handlers.delete(handler);
  }

  put(object: T, initial: boolean = false): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old !== undefined && !replaces(object, old, initial)) return;
    deepFreeze(object);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) index.move(key, old, object);
    // A list is of one version, but its objects are older: it has seen all up to its own version only when complete.
    if (!initial) this.progress(object.metadata.resourceVersion ?? '');
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      this.#emit({ type: 'deleted', object: old, old, initial });
      this.#emit({ type: 'added', object, initial });
    } else if (old === undefined) this.#emit({ type: 'added', object, initial });
    else this.#emit({ type: 'updated', object, old, initial });
  }

  drop(object: T, initial: boolean = false): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (!initial) this.progress(object.metadata.resourceVersion ?? '');
    if (old === undefined) return;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.move(key, old, undefined);
    this.#emit({ type: 'deleted', object: deepFreeze(object), old, initial });
  }

  complete(listed: ReadonlySet<ObjectKey>, resourceVersion: string): void {
    for (const [key, object] of this.#objects) {
      if (!listed.has(key)) this.drop(object, true);
    }
    this.#seen = resourceVersion;
    this.#synced = true;
  }

  progress(resourceVersion: string): void {
    if (resourceVersion !== '') this.#seen = newerRevision(resourceVersion, this.#seen);
  }

  #emit(change: Change<T>): void {
    for (const handler of this.#handlers) this.#call(handler, change);
  }

  #call(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.#onHandlerError(error);
    }
  }
}

class ObjectIndex<T> {
  readonly #of: IndexFunction<T>;
  readonly #keys = new Map<string, Set<ObjectKey>>();

  constructor(of: IndexFunction<T>) {
    this.#of = of;
  }

  keys(value: string): Iterable<ObjectKey> {
    return this.#keys.get(value) ?? [];
  }

  move(key: ObjectKey, old: T | undefined, now: T | undefined): void {
    if (old !== undefined) for (const value of this.#of(old)) this.#take(value, key);
    if (now !== undefined) for (const value of this.#of(now)) this.#put(value, key);
  }

  #put(value: string, key: ObjectKey): void {
    const keys = this.#keys.get(value);
    if (keys === undefined) this.#keys.set(value, new Set([key]));
    else keys.add(key);
  }

  #take(value: string, key: ObjectKey): void {
    const keys = this.#keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(value);
  }
}

/** A list may hold older objects than the cache: etcd was restored from a backup. */
function replaces(object: KubeObject, old: KubeObject, listed: boolean): boolean {
  const { resourceVersion: now } = object.metadata;
  const { resourceVersion: before } = old.metadata;
  if (now === undefined || before === undefined) return true;
  return listed ? now !== before : compareRevisions(now, before) > 0;
}

/** Freezes an object and all in it: a cache is shared by all who read it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
