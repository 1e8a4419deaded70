import type { KubeObject, ObjectRef, OwnerReference } from './object.ts';
import type { Resource } from './resource.ts';

/** What an apply came to. `foreign` means: an object of this name exists and is not ours; it was left alone. */
export type ApplyOutcome<T> =
  | { readonly result: 'unchanged' | 'created' | 'updated'; readonly object: T }
  | { readonly result: 'foreign'; readonly object: T; readonly controller: OwnerReference | undefined };

export interface ApplyRequest<T extends KubeObject> {
  /** All that this controller wants of the object, and nothing else: a field left out is given up. */
  readonly desired: T;
  /** Becomes the controller reference, and decides whose the object is. */
  readonly owner?: KubeObject;
  /** Without an owner: tells whether an existing object is ours. Default: its label `app.kubernetes.io/managed-by` is the desired one's. */
  readonly mine?: (live: T) => boolean;
}

/**
 * The writes of one reconcile. Each is skipped when the cache shows that it
 * would change nothing, is recorded as an expectation so that the next
 * reconcile of this key does not run on a cache that has not seen it, and is
 * refused with KubeError 'aborted' once leadership is lost.
 * All reject with KubeError; let it escape from reconcile to be retried with back-off.
 */
export interface Writer {
  /** Server-side apply of one object, unless the live one already is as desired. */
  apply<T extends KubeObject>(resource: Resource<T>, request: ApplyRequest<T>): Promise<ApplyOutcome<T>>;
  /** Status of the reconciled object; all of it, patched only when it differs from the object's. 'absent': the object is gone. */
  status<T extends KubeObject & { readonly status?: unknown }>(
    resource: Resource<T>,
    object: T,
    status: NonNullable<T['status']>,
  ): Promise<'unchanged' | 'patched' | 'absent'>;
  /** Deletes this very object (uid precondition). 'absent' when it is gone or another has its name. */
  remove(
    resource: Resource,
    object: KubeObject,
    options?: { gracePeriodSeconds?: number; propagation?: 'Background' | 'Foreground' },
  ): Promise<'removed' | 'absent'>;
  /** Adds the finalizer if it is missing. Resolves to the object with it. */
  addFinalizer<T extends KubeObject>(resource: Resource<T>, object: T, finalizer: string): Promise<T>;
  /** Takes the finalizer away if it is there; the object may be gone afterwards. */
  removeFinalizer<T extends KubeObject>(resource: Resource<T>, object: T, finalizer: string): Promise<void>;
  /** Labels and annotations of an object by merge patch, e.g. a role label; skipped when all are as given. null removes. */
  annotate<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    change: { labels?: Readonly<Record<string, string | null>>; annotations?: Readonly<Record<string, string | null>> },
  ): Promise<'unchanged' | 'patched'>;
  /** Reads through to the server, past the cache; for decisions that may not be made on old data. undefined when absent. */
  read<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined>;
}
