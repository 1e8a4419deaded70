import type { Logger } from 'pino';
import { jitter } from './back-off.ts';
import { type Clock, fired } from './clock.ts';
import type { Reconcile, ReconcileContext } from './controller.ts';
import { startDeadline } from './deadline.ts';
import type { EventRecorder } from './events.ts';
import type { Expectations } from './expectations.ts';
import { isKubeError, KubeError } from './kube-error.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { fail, type Outcome } from './outcome.ts';
import type { Work, WorkQueue } from './work-queue.ts';
import type { Writer } from './writer.ts';

/** What the workers of a controller are made of. */
export interface WorkerPoolParts {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  readonly concurrency: number;
  readonly deadlineMs: number;
  readonly expectations: Expectations;
  readonly writerFor: (key: string, signal: AbortSignal) => Writer;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  readonly clock: Clock;
}

/** A cache that lags is looked at again soon, and less often when it stays behind. */
const STALE_RECHECK_MS = 20;
const STALE_RECHECK_MAX_MS = 1_000;
const REQUEUE_JITTER = 0.1;

/** Takes keys from the queue and reconciles them, some at once, each within a deadline. */
export class WorkerPool {
  readonly #parts: WorkerPoolParts;
  readonly #staleChecks = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: WorkerPoolParts) {
    this.#parts = parts;
    parts.metrics.maxWorkers.set({ controller: parts.name }, parts.concurrency);
  }

  /** Works until the queue is closed; resolves when no reconcile is under way. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.#parts.concurrency }, () => this.#work(signal)));
    await Promise.all(this.#underWay);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#parts;
    for (let work = await queue.take(); work !== undefined; work = await queue.take()) {
      if (this.#isStale(work)) continue;
      await this.#reconcile(work, signal);
    }
  }

  /** Puts the key back when the cache has not seen its own last writes. */
  #isStale({ key, priority }: Work): boolean {
    const { expectations, queue } = this.#parts;
    if (!expectations.pending(key)) {
      this.#staleChecks.delete(key);
      return false;
    }
    const checks = this.#staleChecks.get(key) ?? 0;
    this.#staleChecks.set(key, checks + 1);
    queue.add(key, { priority, afterMs: Math.min(STALE_RECHECK_MAX_MS, STALE_RECHECK_MS * 2 ** checks) });
    queue.done(key);
    return true;
  }

  async #reconcile(work: Work, signal: AbortSignal): Promise<void> {
    const { name, metrics, clock, deadlineMs } = this.#parts;
    const controller = { controller: name };
    const deadline = startDeadline(`reconcile of ${name} ${work.key}`, deadlineMs, signal, clock);
    const startedAt = clock.now();
    metrics.activeWorkers.inc(controller);
    const running = this.#call(work, deadline.signal);
    // A reconcile that ignores its signal does not hold a worker; its key stays taken until it ends.
    const ended = running.then((outcome) => this.#settle(work, outcome, deadline.signal));
    this.#underWay.add(ended);
    void ended.finally(() => {
      deadline.release();
      this.#underWay.delete(ended);
      metrics.activeWorkers.dec(controller);
      metrics.reconcileSeconds.observe(controller, (clock.now() - startedAt) / 1000);
    });
    await Promise.race([ended, fired(deadline.signal)]);
  }

  async #call(work: Work, signal: AbortSignal): Promise<Outcome> {
    const { name, log, queue, clock, writerFor, events, reconcile, metrics } = this.#parts;
    const context: ReconcileContext = {
      log: log.child({ controller: name, key: work.key }),
      signal,
      attempt: queue.failures(work.key),
      now: () => clock.wall(),
      writer: writerFor(work.key, signal),
      events,
    };
    try {
      return await reconcile(work.key, context);
    } catch (error) {
      if (!(error instanceof KubeError)) metrics.panics.inc({ controller: name });
      return fail(error);
    }
  }

  #settle(work: Work, outcome: Outcome, signal: AbortSignal): void {
    const { queue } = this.#parts;
    this.#count(work, outcome, signal);
    switch (outcome.kind) {
      case 'done':
        queue.forget(work.key);
        break;
      case 'requeue':
        queue.forget(work.key);
        queue.add(work.key, { priority: work.priority, afterMs: jitter(outcome.afterMs, REQUEUE_JITTER) });
        break;
      case 'fail':
        this.#retry(work, outcome.error);
        break;
      case 'terminal':
        queue.forget(work.key);
        break;
    }
    queue.done(work.key);
  }

  #retry({ key, priority }: Work, error: unknown): void {
    const retryAfterMs = isKubeError(error) ? error.retryAfterMs : undefined;
    if (retryAfterMs === undefined) this.#parts.queue.add(key, { priority, backOff: true });
    else this.#parts.queue.add(key, { priority, afterMs: retryAfterMs });
  }

  #count(work: Work, outcome: Outcome, signal: AbortSignal): void {
    const { name, metrics, log } = this.#parts;
    const controller = { controller: name };
    const detail = { controller: name, key: work.key, err: 'error' in outcome ? outcome.error : undefined };
    if (signal.aborted && isKubeError(signal.reason, 'timeout')) metrics.timeouts.inc(controller);
    switch (outcome.kind) {
      case 'done':
        metrics.reconciles.inc({ ...controller, result: 'success' });
        break;
      case 'requeue':
        metrics.reconciles.inc({ ...controller, result: 'requeue_after' });
        break;
      case 'terminal':
        metrics.reconciles.inc({ ...controller, result: 'terminal' });
        metrics.terminalErrors.inc(controller);
        log.error(detail, 'reconcile failed for good');
        break;
      case 'fail':
        this.#countFailure(detail);
        break;
    }
  }

  /** Conflicts and ends of leadership are part of the game; all else is an error. */
  #countFailure(detail: { readonly key: string; readonly err: unknown }): void {
    const { name, metrics, log } = this.#parts;
    if (isKubeError(detail.err, 'conflict', 'exists', 'aborted')) {
      metrics.reconciles.inc({ controller: name, result: detail.err.code === 'aborted' ? 'aborted' : 'requeue' });
      log.debug(detail, 'reconcile to be repeated');
      return;
    }
    metrics.reconciles.inc({ controller: name, result: 'error' });
    metrics.reconcileErrors.inc({ controller: name });
    log.warn(detail, 'reconcile failed, trying again');
  }
}
