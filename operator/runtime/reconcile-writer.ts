import { AppliedMemory } from './applied-memory.ts';
import { prepare } from './apply.ts';
import type { KubeClient, MetadataPatch } from './client.ts';
import type { Expectations } from './expectations.ts';
import { isKubeError, KubeError } from './kube-error.ts';
import { keyOf, type KubeObject, type ObjectKey, type ObjectRef } from './object.ts';
import { controllerOf, isControlledBy } from './owner.ts';
import { type Resource, resourceName } from './resource.ts';
import type { Store } from './store.ts';
import type { ApplyOutcome, ApplyRequest, Writer } from './writer.ts';

const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** What all writers of one controller share. */
export interface WriterParts {
  readonly client: KubeClient;
  readonly fieldManager: string;
  /** The cache of a resource that may hold this key, if there is one. */
  readonly cacheOf: (resource: Resource, key: ObjectKey) => Store<KubeObject> | undefined;
  readonly memory: AppliedMemory;
  readonly expectations: Expectations;
  /** False from the moment in which another process may lead. */
  readonly mayWrite: () => boolean;
}

/** The Writer of one reconcile of one key. */
export class ReconcileWriter implements Writer {
  readonly #parts: WriterParts;
  readonly #key: ObjectKey;
  readonly #signal: AbortSignal;

  constructor(parts: WriterParts, key: ObjectKey, signal: AbortSignal) {
    this.#parts = parts;
    this.#key = key;
    this.#signal = signal;
  }

  async apply<T extends KubeObject>(resource: Resource<T>, request: ApplyRequest<T>): Promise<ApplyOutcome<T>> {
    const { client, fieldManager, memory } = this.#parts;
    const wanted = prepare(request.desired, request.owner);
    const id = `${resourceName(resource)}/${keyOf(wanted)}`;
    const live = this.#cached(resource, wanted.metadata) ?? (await this.read(resource, wanted.metadata));
    if (live !== undefined) {
      if (!isOurs(live, request)) return { result: 'foreign', object: live, controller: controllerOf(live) };
      if (memory.isSettled(id, live, wanted)) return { result: 'unchanged', object: live };
    }
    this.#guard();
    // The uid is a precondition: never change an object that took the name meanwhile.
    const uid = live?.metadata.uid === undefined ? {} : { uid: live.metadata.uid };
    const body = { ...wanted, metadata: { ...wanted.metadata, ...uid } };
    const object = await client.apply(resource, body, { fieldManager, signal: this.#signal });
    memory.note(id, object, wanted);
    this.#expectWritten(resource, object);
    const changed = live?.metadata.resourceVersion !== object.metadata.resourceVersion;
    if (live === undefined) return { result: 'created', object };
    return { result: changed ? 'updated' : 'unchanged', object };
  }

  async status<T extends KubeObject & { readonly status?: unknown }>(
    resource: Resource<T>,
    object: T,
    status: NonNullable<T['status']>,
  ): Promise<'unchanged' | 'patched' | 'absent'> {
    const { client, fieldManager, memory } = this.#parts;
    const id = `${resourceName(resource)}/${keyOf(object)}/status`;
    if (memory.isSettledStatus(id, object.status, status)) return 'unchanged';
    this.#guard();
    const { apiVersion, kind } = object;
    const metadata = identityOf(object);
    try {
      const body = { apiVersion, kind, metadata, status } as unknown as T;
      const answer = await client.applyStatus(resource, body, { fieldManager, signal: this.#signal });
      memory.noteStatus(id, answer.status, status);
      this.#expectWritten(resource, answer);
      return 'patched';
    } catch (error) {
      if (isKubeError(error, 'not-found')) return 'absent';
      throw error;
    }
  }

  async remove(
    resource: Resource,
    object: KubeObject,
    options: { gracePeriodSeconds?: number; propagation?: 'Background' | 'Foreground' } = {},
  ): Promise<'removed' | 'absent'> {
    const { deletionTimestamp, uid } = object.metadata;
    if (deletionTimestamp !== undefined && options.gracePeriodSeconds === undefined) return 'removed';
    this.#guard();
    const precondition = uid === undefined ? {} : { uid };
    try {
      const call = { ...options, ...precondition, signal: this.#signal };
      const there = await this.#parts.client.delete(resource, object.metadata, call);
      if (there) this.#expectRemoved(resource, object);
      return there ? 'removed' : 'absent';
    } catch (error) {
      // Another object has the name by now.
      if (isKubeError(error, 'conflict')) return 'absent';
      throw error;
    }
  }

  async addFinalizer<T extends KubeObject>(resource: Resource<T>, object: T, finalizer: string): Promise<T> {
    const finalizers = object.metadata.finalizers ?? [];
    if (finalizers.includes(finalizer) || object.metadata.deletionTimestamp !== undefined) return object;
    return this.#patch(resource, object, { finalizers: [...finalizers, finalizer] });
  }

  async removeFinalizer<T extends KubeObject>(resource: Resource<T>, object: T, finalizer: string): Promise<void> {
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return;
    try {
      const left = finalizers.filter((other) => other !== finalizer);
      await this.#patch(resource, object, { finalizers: left });
    } catch (error) {
      if (!isKubeError(error, 'not-found')) throw error;
    }
  }

  async annotate<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    change: Pick<MetadataPatch, 'labels' | 'annotations'>,
  ): Promise<'unchanged' | 'patched'> {
    const { labels, annotations } = object.metadata;
    if (holds(labels, change.labels) && holds(annotations, change.annotations)) return 'unchanged';
    this.#guard();
    const { uid } = object.metadata;
    const ref = { ...object.metadata, ...(uid !== undefined && { uid }) };
    const { resourceVersion: _, ...unversioned } = ref;
    const client = this.#parts.client;
    const answer = await client.patchMetadata(resource, unversioned, change, { signal: this.#signal });
    this.#expectWritten(resource, answer);
    return 'patched';
  }

  async read<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.#parts.client.get(resource, ref, { signal: this.#signal });
    } catch (error) {
      if (isKubeError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  async #patch<T extends KubeObject>(resource: Resource<T>, object: T, patch: MetadataPatch): Promise<T> {
    this.#guard();
    // The list of finalizers is replaced as a whole: only on the version that it was read from.
    const answer = await this.#parts.client.patchMetadata(resource, object.metadata, patch, { signal: this.#signal });
    this.#expectWritten(resource, answer);
    return answer;
  }

  #expectWritten(resource: Resource, object: KubeObject): void {
    // The last finalizer's removal answers with an object that no watch shows again.
    const gone = object.metadata.deletionTimestamp !== undefined && !object.metadata.finalizers?.length;
    const child = keyOf(object);
    const store = this.#storeOf(resource, child);
    if (!gone && store) this.#parts.expectations.written(this.#key, store, object, child);
  }

  #expectRemoved(resource: Resource, object: KubeObject): void {
    const { uid } = object.metadata;
    const store = this.#storeOf(resource, keyOf(object));
    if (uid !== undefined && store) this.#parts.expectations.removed(this.#key, store, uid, keyOf(object));
  }

  #cached<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): T | undefined {
    return this.#storeOf(resource, keyOf(ref))?.get(ref) as T | undefined;
  }

  #storeOf(resource: Resource, key: ObjectKey): Store<KubeObject> | undefined {
    return this.#parts.cacheOf(resource, key);
  }

  #guard(): void {
    if (this.#signal.aborted) throw new KubeError('aborted', 'the reconcile was ended', { cause: this.#signal.reason });
    if (!this.#parts.mayWrite()) throw new KubeError('aborted', 'leadership was lost');
  }
}

function isOurs<T extends KubeObject>(live: T, request: ApplyRequest<T>): boolean {
  if (request.owner !== undefined) return isControlledBy(live, request.owner);
  if (request.mine !== undefined) return request.mine(live);
  const manager = request.desired.metadata.labels?.[MANAGED_BY];
  return manager !== undefined && live.metadata.labels?.[MANAGED_BY] === manager;
}

function identityOf(object: KubeObject): KubeObject['metadata'] {
  const { name, namespace, uid } = object.metadata;
  return { name, ...(namespace !== undefined && { namespace }), ...(uid !== undefined && { uid }) };
}

function holds(
  have: Readonly<Record<string, string>> | undefined,
  want: Readonly<Record<string, string | null>> | undefined,
): boolean {
  return Object.entries(want ?? {}).every(([name, value]) => (have?.[name] ?? null) === value);
}
