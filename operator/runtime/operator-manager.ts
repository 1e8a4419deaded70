import { Registry } from 'prom-client';
import { backOffMs } from './back-off.ts';
import { fired, pause, settlesWithin, systemClock } from './clock.ts';
import type { Controller, ControllerOptions } from './controller.ts';
import { startDeadline } from './deadline.ts';
import { Elector, type Lead } from './elector.ts';
import { QueuedEventRecorder } from './event-recorder.ts';
import { type HealthServer, startHealthServer } from './health-server.ts';
import { leaseTimes } from './lease.ts';
import type { CacheOptions, LeaderTask, Manager, ManagerOptions } from './manager.ts';
import { type RuntimeMetrics, runtimeMetrics } from './metrics.ts';
import type { KubeObject, ObjectKey } from './object.ts';
import { ObjectStore } from './object-store.ts';
import { Reflector } from './reflector.ts';
import { type Resource, resourceName } from './resource.ts';
import { RunningController } from './running-controller.ts';
import type { Store } from './store.ts';
import { dropBulk } from './trim.ts';

const STOP_DEADLINE_MS = 20_000;
const TASK_BACK_OFF = { minMs: 500, maxMs: 30_000 };
const EVENTS_DEADLINE_MS = 2_000;
const SYNC_POLL_MS = 20;

/** Builds a manager; nothing runs before `start`. */
export function createManager(options: ManagerOptions): Manager {
  return new OperatorManager(options);
}

interface Cache {
  readonly store: Store<KubeObject>;
  run(signal: AbortSignal): Promise<void>;
}

class OperatorManager implements Manager {
  readonly events: QueuedEventRecorder;
  readonly #options: ManagerOptions;
  readonly #registry: Registry;
  readonly #metrics: RuntimeMetrics;
  readonly #elector: Elector | undefined;
  readonly #caches: Cache[] = [];
  readonly #controllers: RunningController<never>[] = [];
  readonly #tasks = new Map<string, LeaderTask>();
  readonly #readyChecks = new Map<string, () => string | undefined>();
  readonly #stopCaches = new AbortController();
  readonly #stopLeading = new AbortController();
  #server: HealthServer | undefined;
  #running: { readonly caches: Promise<unknown>; readonly leading: Promise<void> } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#registry = options.metrics ?? new Registry();
    this.#metrics = runtimeMetrics(this.#registry);
    const { client, log, identity, lease } = options;
    const stopDeadlineMs = options.stopDeadlineMs ?? STOP_DEADLINE_MS;
    const parts = { client, log, identity, metrics: this.#metrics, stopDeadlineMs };
    this.#elector = lease === undefined ? undefined : new Elector({ ...leaseTimes, ...lease, ...parts });
    const controller = options.name ?? lease?.name ?? 'controller';
    this.events = new QueuedEventRecorder({ client, log, metrics: this.#metrics, controller, instance: identity });
  }

  cache<T extends KubeObject>(resource: Resource<T>, options: CacheOptions<T> = {}): Store<T> {
    this.#mustNotRun();
    const { client, log } = this.#options;
    const store = new ObjectStore<T>(resource, options.indexes, (error) =>
      log.error({ resource: resourceName(resource), err: error }, 'a handler of changes threw'),
    );
    const { namespace, labelSelector, fieldSelector } = options;
    const trim = (object: T): T => (options.trim ?? same)(dropBulk(object));
    const scope = { namespace, labelSelector, fieldSelector };
    const reflector = new Reflector<T>({ client, log, store, trim, metrics: this.#metrics, ...scope });
    this.#caches.push({ store: store as unknown as Store<KubeObject>, run: (signal) => reflector.run(signal) });
    return store;
  }

  controller<T extends KubeObject>(options: ControllerOptions<T>): Controller {
    this.#mustNotRun();
    const { client, log } = this.#options;
    const controller = new RunningController<T>(options, {
      client,
      log,
      metrics: this.#metrics,
      events: this.events,
      cacheOf: (resource, key) => this.#cacheOf(resource, key),
      mayWrite: () => this.#elector?.certain ?? true,
    });
    this.#controllers.push(controller as unknown as RunningController<never>);
    return controller;
  }

  leaderTask(name: string, task: LeaderTask): void {
    this.#mustNotRun();
    this.#tasks.set(name, task);
  }

  readyCheck(name: string, check: () => string | undefined): void {
    this.#readyChecks.set(name, check);
  }

  async start(): Promise<void> {
    this.#mustNotRun();
    const { http, page } = this.#options;
    if (http !== undefined) {
      const readiness = (): Record<string, string | undefined> => this.#readiness();
      const observe = (): void => this.#controllers.forEach((controller) => controller.observe());
      const sources = { readiness, observe, metrics: this.#registry, ...(page !== undefined && { page }) };
      this.#server = await startHealthServer(sources, http);
    }
    const caches = Promise.all(this.#caches.map((cache) => cache.run(this.#stopCaches.signal)));
    this.#running = { caches, leading: this.#campaign(this.#stopLeading.signal) };
  }

  get leading(): boolean {
    return this.#elector?.leading ?? this.#running !== undefined;
  }

  get address(): string | undefined {
    return this.#server?.address;
  }

  async synced(deadlineMs: number): Promise<void> {
    const deadline = startDeadline('sync of the caches', deadlineMs, this.#stopCaches.signal);
    try {
      await this.#untilSynced(deadline.signal);
      if (!this.#isSynced()) throw deadline.signal.reason;
    } finally {
      deadline.release();
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopLeading.abort(new Error('stopping'));
    await this.#running?.leading;
    await settlesWithin(systemClock, this.events.flush(), EVENTS_DEADLINE_MS);
    this.#stopCaches.abort(new Error('stopping'));
    await this.#running?.caches;
    await this.#server?.close();
  }

  /** On every process caches fill before it runs for the lease: who takes over is ready to work. */
  async #campaign(signal: AbortSignal): Promise<void> {
    await this.#untilSynced(signal);
    const lead: Lead = (term) => this.#lead(term);
    if (this.#elector !== undefined) await this.#elector.run(signal, lead);
    else if (!signal.aborted) await this.#leadWithoutLease(signal, lead);
  }

  async #leadWithoutLease(signal: AbortSignal, lead: Lead): Promise<void> {
    const deadline = this.#options.stopDeadlineMs ?? STOP_DEADLINE_MS;
    const work = lead(signal);
    await fired(signal);
    await settlesWithin(systemClock, work, deadline);
  }

  async #lead(term: AbortSignal): Promise<void> {
    const controllers = this.#controllers.map((controller) => controller.run(term));
    const tasks = [...this.#tasks].map(([name, task]) => this.#keepRunning(name, task, term));
    await Promise.all([...controllers, ...tasks]);
  }

  async #keepRunning(name: string, task: LeaderTask, term: AbortSignal): Promise<void> {
    const { log } = this.#options;
    for (let failures = 1; !term.aborted; failures += 1) {
      try {
        await task(term);
      } catch (error) {
        if (!term.aborted) log.error({ task: name, err: error }, 'a task of the leader failed');
      }
      if (!term.aborted) await pause(systemClock, backOffMs(TASK_BACK_OFF, failures), term);
    }
  }

  #cacheOf(resource: Resource, key: ObjectKey): Store<KubeObject> | undefined {
    const name = resourceName(resource);
    const caches = this.#caches.filter(({ store }) => resourceName(store.resource) === name);
    return (caches.find(({ store }) => store.get(key) !== undefined) ?? caches[0])?.store;
  }

  #isSynced(): boolean {
    return this.#caches.every(({ store }) => store.synced);
  }

  async #untilSynced(signal: AbortSignal): Promise<void> {
    while (!this.#isSynced() && !signal.aborted) await pause(systemClock, SYNC_POLL_MS, signal);
  }

  #readiness(): Record<string, string | undefined> {
    const missing = this.#caches.filter(({ store }) => !store.synced).map(({ store }) => resourceName(store.resource));
    const checks: Record<string, string | undefined> = {
      caches: missing.length === 0 ? undefined : `waiting for ${missing.join(', ')}`,
    };
    for (const [name, check] of this.#readyChecks) checks[name] = check();
    return checks;
  }

  #mustNotRun(): void {
    if (this.#running !== undefined) throw new Error('the manager runs already');
  }
}

function same<T>(object: T): T {
  return object;
}
