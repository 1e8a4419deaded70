import type { KubeObject, ObjectKey } from './object.ts';
import { compareRevisions } from './revision.ts';
import type { Store } from './store.ts';

type Check = () => boolean;

/**
 * What the cache has to show before a key may be reconciled again: the results
 * of its own writes. Without this a reconcile that runs before the watch has
 * caught up decides on the past: it creates a second pod, or writes a status back.
 */
export class Expectations {
  readonly #checks = new Map<ObjectKey, Check[]>();

  /** The cache must have seen this object, as the API returned it, or a later state. */
  written(key: ObjectKey, store: Store<KubeObject>, object: KubeObject, child: ObjectKey): void {
    const version = object.metadata.resourceVersion;
    if (version === undefined) return;
    this.#add(key, () => store.hasSeen(version) || isAtLeast(store.get(child), version));
  }

  /** The cache must show the object with this uid as gone or going. */
  removed(key: ObjectKey, store: Store<KubeObject>, uid: string, child: ObjectKey): void {
    this.#add(key, () => {
      const object = store.get(child);
      return object?.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined;
    });
  }

  /** True while the cache has not seen all writes of the key. */
  pending(key: ObjectKey): boolean {
    const checks = this.#checks.get(key);
    if (checks === undefined) return false;
    const open = checks.filter((check) => !check());
    if (open.length === 0) this.#checks.delete(key);
    else this.#checks.set(key, open);
    return open.length > 0;
  }

  /** Forgets all: another process led meanwhile. */
  clear(): void {
    this.#checks.clear();
  }

  #add(key: ObjectKey, check: Check): void {
    if (check()) return;
    const checks = this.#checks.get(key);
    if (checks === undefined) this.#checks.set(key, [check]);
    else checks.push(check);
  }
}

function isAtLeast(object: KubeObject | undefined, version: string): boolean {
  const held = object?.metadata.resourceVersion;
  return held !== undefined && compareRevisions(held, version) >= 0;
}
