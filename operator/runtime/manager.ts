import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { KubeClient } from './client.ts';
import type { Controller, ControllerOptions } from './controller.ts';
import type { EventRecorder } from './events.ts';
import type { KubeObject } from './object.ts';
import type { Resource } from './resource.ts';
import type { IndexFunction, Store } from './store.ts';

export interface CacheOptions<T> {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Drops what no controller reads, to save memory; managedFields and the last-applied annotation go anyway. */
  readonly trim?: (object: T) => T;
}

export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Others may take over this long after the last renewal they saw; default 8,000 ms. */
  readonly durationMs?: number;
  /** The leader gives up when it could not renew for this long; default 5,000 ms; less than durationMs. */
  readonly renewDeadlineMs?: number;
  /** Between tries; default 1,000 ms. */
  readonly retryMs?: number;
}

export interface ManagerOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  /** Unique for this process, e.g. pod name and a random part. */
  readonly identity: string;
  /** Absent: leads at once, for tests and tools. */
  readonly lease?: LeaseOptions;
  /** Serves /healthz, /readyz and /metrics; absent: not served. Port 0 picks one. */
  readonly http?: { readonly host: string; readonly port: number };
  /** Further pages of the server, told as JSON, by path; undefined: there is no such page. */
  readonly page?: (path: string) => unknown;
  readonly metrics?: Registry;
  /** Named in Events as their source; default the lease's name. */
  readonly name?: string;
  /** Orderly stop: time for reconciles under way, default 20,000 ms. */
  readonly stopDeadlineMs?: number;
}

/** Work that runs while this process leads, e.g. a directory publisher. Must return soon after `signal` fires. */
export type LeaderTask = (signal: AbortSignal) => Promise<void>;

/**
 * Owns caches, election, controllers and the health server of one process.
 * Order: caches fill (on every process, so that a takeover is quick), then the
 * lease, then controllers and tasks. Losing the lease stops those and goes back
 * to the election; the process lives on. An API server that is away is waited for.
 */
export interface Manager {
  /** Declares a cache, filled from `start` on. Controllers of one process should share one per resource. */
  cache<T extends KubeObject>(resource: Resource<T>, options?: CacheOptions<T>): Store<T>;
  /** Declares a controller. Before `start` only. */
  controller<T extends KubeObject>(options: ControllerOptions<T>): Controller;
  /** Declares work of the leader. Before `start` only. A task that throws or returns early is started again with back-off. */
  leaderTask(name: string, task: LeaderTask): void;
  /** A named check of /readyz, besides caches being synced. */
  readyCheck(name: string, check: () => string | undefined): void;
  /** Resolves once caches are being filled and the health server listens; does not wait for the API server. */
  start(): Promise<void>;
  readonly leading: boolean;
  /** host:port of the health server, once started. */
  readonly address: string | undefined;
  /** Resolves when every cache is synced; rejects with KubeError 'timeout' after the deadline, ms. */
  synced(deadlineMs: number): Promise<void>;
  /** Writes Events about objects, for leader tasks; a reconcile has its own. */
  readonly events: EventRecorder;
  /** Stops tasks and controllers, then releases the lease, then stops the caches and the server. Idempotent. */
  stop(): Promise<void>;
}
