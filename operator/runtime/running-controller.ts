import type { Logger } from 'pino';
import { AppliedMemory } from './applied-memory.ts';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Controller, ControllerOptions } from './controller.ts';
import type { EventRecorder } from './events.ts';
import { Expectations } from './expectations.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { keyOf, type KubeObject, type ObjectKey } from './object.ts';
import { ReconcileWriter, type WriterParts } from './reconcile-writer.ts';
import { LOW_PRIORITY, subscribeAll } from './wake-up.ts';
import { WorkQueue } from './work-queue.ts';
import { WorkerPool } from './worker-pool.ts';

/** What the manager gives to each of its controllers. */
export interface ControllerParts {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  readonly events: EventRecorder;
  readonly cacheOf: WriterParts['cacheOf'];
  readonly mayWrite: () => boolean;
  readonly clock?: Clock;
}

const RESYNC_MS = 10 * 3_600_000;
const DEADLINE_MS = 60_000;
const CONCURRENCY = 4;

/** A controller: while leading it has a queue that caches feed and workers that empty it. */
export class RunningController<T extends KubeObject> implements Controller {
  readonly name: string;
  readonly #options: ControllerOptions<T>;
  readonly #parts: ControllerParts;
  readonly #memory = new AppliedMemory();
  readonly #clock: Clock;
  #queue: WorkQueue | undefined;

  constructor(options: ControllerOptions<T>, parts: ControllerParts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  wake(key: ObjectKey, options: { afterMs?: number; priority?: number } = {}): void {
    this.#queue?.add(key, options);
  }

  wakeAll(): void {
    for (const object of this.#options.of.list()) this.#queue?.add(keyOf(object), { priority: LOW_PRIORITY });
  }

  get idle(): boolean {
    return this.#queue?.idle ?? true;
  }

  /** Brings gauges up to date. */
  observe(): void {
    this.#queue?.observe();
  }

  /** Works until the signal fires; resolves when no reconcile is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, metrics } = this.#parts;
    const queue = new WorkQueue({
      name: this.name,
      metrics,
      clock: this.#clock,
      ...(this.#options.backOff !== undefined && { backOff: this.#options.backOff }),
    });
    this.#queue = queue;
    const pool = this.#pool(queue);
    const unsubscribe = subscribeAll(this.#options, (key, priority) => queue.add(key, { priority }));
    const stopResync = this.#startResync(queue);
    const stop = (): void => queue.close();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    log.info({ controller: this.name, objects: this.#options.of.size }, 'controller started');
    await pool.run(signal);
    unsubscribe();
    stopResync();
    this.#queue = undefined;
    log.info({ controller: this.name }, 'controller stopped');
  }

  #pool(queue: WorkQueue): WorkerPool {
    const { client, log, metrics, events, cacheOf, mayWrite } = this.#parts;
    const options = this.#options;
    const expectations = new Expectations();
    const shared = { client, fieldManager: this.name, cacheOf, memory: this.#memory, expectations, mayWrite };
    return new WorkerPool({
      name: this.name,
      queue,
      reconcile: options.reconcile,
      concurrency: options.concurrency ?? CONCURRENCY,
      deadlineMs: options.reconcileDeadlineMs ?? DEADLINE_MS,
      expectations,
      writerFor: (key, signal) => new ReconcileWriter(shared, key, signal),
      events,
      log,
      metrics,
      clock: this.#clock,
    });
  }

  /** Wakes every key once in each period, at a random time of it. */
  #startResync(queue: WorkQueue): () => void {
    const periodMs = this.#options.resyncMs ?? RESYNC_MS;
    if (periodMs === 0) return () => undefined;
    let cancel: () => void = () => undefined;
    const next = (): void => {
      cancel = this.#clock.timer(periodMs, () => {
        for (const object of this.#options.of.list()) {
          queue.add(keyOf(object), { priority: LOW_PRIORITY, afterMs: Math.random() * periodMs });
        }
        next();
      });
    };
    next();
    return () => cancel();
  }
}
