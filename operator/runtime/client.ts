import type { KubeObject, ObjectRef } from './object.ts';
import type { Resource } from './resource.ts';

/** Given to every call. All have a deadline, also without options. */
export interface CallOptions {
  /** Default 15,000 ms; KubeError 'timeout' after it. */
  readonly deadlineMs?: number;
  /** KubeError 'aborted' as soon as it fires. */
  readonly signal?: AbortSignal;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects in a page; default 500. */
  readonly limit?: number;
  /** Token of the next page. */
  readonly continue?: string;
  /** '0' takes any version the server's cache holds; absent reads through. */
  readonly resourceVersion?: string;
}

export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Present when there are more pages. */
  readonly continue?: string;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this version; KubeError 'gone' when the server no longer has them. */
  readonly resourceVersion: string;
  /** The server ends the stream after this time, s. */
  readonly timeoutSeconds: number;
  /** Nothing received for this long, bookmarks included, means that the stream is dead: KubeError 'timeout'. ms */
  readonly quietMs: number;
  readonly signal?: AbortSignal;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Takes over fields that other managers own; default true, as is right for controllers. */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only the object with this uid, else KubeError 'conflict'. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/** A change of metadata by JSON merge patch; null removes a key. */
export interface MetadataPatch {
  readonly finalizers?: readonly string[] | null;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly ownerReferences?: KubeObject['metadata']['ownerReferences'] | null;
}

/**
 * A client for one API server. Every method rejects with KubeError only.
 * Calls wait for a token of the client-side rate limit within their deadline.
 * No call is retried here, except that a request whose reused connection was
 * closed before any byte of an answer is sent once more when it is a read.
 */
export interface KubeClient {
  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options?: CallOptions): Promise<T>;
  /** One page. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ListPage<T>>;
  /**
   * Opens a watch with bookmarks; resolves once the server has accepted it.
   * The iterator ends when the server ends the stream and throws KubeError when it breaks.
   * Leaving the loop closes the connection.
   */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<AsyncIterable<WatchEvent<T>>>;
  create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options?: CallOptions & { fieldManager?: string },
  ): Promise<T>;
  /** Replaces an object; its metadata.resourceVersion is the precondition ('conflict'). */
  replace<T extends KubeObject>(resource: Resource<T>, object: T, options?: CallOptions): Promise<T>;
  /** Server-side apply. A metadata.uid or resourceVersion in the object is a precondition ('conflict'). */
  apply<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<T>;
  /** Server-side apply on the status subresource. */
  applyStatus<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<T>;
  /** Merge patch of metadata. `resourceVersion` makes it conditional ('conflict'). */
  patchMetadata<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef & { readonly resourceVersion?: string; readonly uid?: string },
    patch: MetadataPatch,
    options?: CallOptions,
  ): Promise<T>;
  /** JSON merge patch of anything; for the few cases the calls above do not cover (scale, Event series). */
  merge<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: object,
    options?: CallOptions & { subresource?: 'status' | 'scale' },
  ): Promise<T>;
  /** Resolves to true when the object was there (it may go on existing until its finalizers and grace are done), false when it was not. */
  delete(resource: Resource, ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /** GET of a path that is no resource (/version, /readyz); the body as text. */
  raw(path: string, options?: CallOptions): Promise<string>;
  /** Closes idle connections. Calls under way finish. */
  close(): void;
}
