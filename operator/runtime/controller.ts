import type { Logger } from 'pino';
import type { EventRecorder } from './events.ts';
import type { KubeObject, ObjectKey } from './object.ts';
import type { Outcome } from './outcome.ts';
import type { Change, Store } from './store.ts';
import type { Writer } from './writer.ts';

/** What a reconcile is given beside its key. */
export interface ReconcileContext {
  /** Carries controller and key. */
  readonly log: Logger;
  /** Fires when the reconcile's deadline passes, leadership is lost or the manager stops. */
  readonly signal: AbortSignal;
  /** Failed attempts in a row before this one. */
  readonly attempt: number;
  /** ms since the epoch. */
  now(): number;
  readonly writer: Writer;
  readonly events: EventRecorder;
}

/**
 * Brings the world of one object towards what its spec says. Level-triggered:
 * it gets a key, not an event, reads the caches, and must be right whatever
 * happened before, also when run twice. The object may be gone. Never called
 * twice at once for one key. A throw counts as `fail`.
 */
export type Reconcile = (key: ObjectKey, context: ReconcileContext) => Promise<Outcome>;

/** A cache whose changes wake keys of the controller. Build with `watch`, so that `T` is checked. */
export interface WatchSource {
  readonly store: Store<KubeObject>;
  /** Keys to wake for a change. */
  readonly map: (change: Change<KubeObject>) => Iterable<ObjectKey>;
}

/** Wakes the keys that `map` names for a change of `store`. */
export function watch<T extends KubeObject>(
  store: Store<T>,
  map: (change: Change<T>) => Iterable<ObjectKey>,
): WatchSource {
  return { store, map: map as WatchSource['map'] };
}

export interface ControllerOptions<T extends KubeObject> {
  /** Names the field manager, metrics and logs; lower case with dashes. */
  readonly name: string;
  /** The objects reconciled. Woken by a change of spec, metadata (labels, annotations, deletion) or existence, not of status alone. */
  readonly of: Store<T>;
  /** Set true to be woken by changes of status too. */
  readonly wakeOnStatus?: boolean;
  /** Caches of dependents: a change wakes the object that controls it. */
  readonly owns?: readonly Store<KubeObject>[];
  readonly watches?: readonly WatchSource[];
  readonly reconcile: Reconcile;
  /** Keys at once; default 4. */
  readonly concurrency?: number;
  /** Default 60,000 ms. */
  readonly reconcileDeadlineMs?: number;
  /** All keys are woken this often, spread over the time, at low priority; default 10 h, 0 = never. */
  readonly resyncMs?: number;
  /** Delay after a first failure and its bound; doubles with jitter. Default 200 ms to 60,000 ms. */
  readonly backOff?: { readonly minMs: number; readonly maxMs: number };
}

/** A controller, as its manager hands it out. */
export interface Controller {
  readonly name: string;
  /** Wakes a key from outside (a heartbeat, a timer). Without leadership it does nothing: taking the lead wakes all keys. */
  wake(key: ObjectKey, options?: { afterMs?: number; priority?: number }): void;
  /** Wakes all keys of the cache, at low priority. */
  wakeAll(): void;
  /** True when no key is ready or being worked on (delayed ones do not count). */
  readonly idle: boolean;
}
