import type { Logger } from 'pino';
import { jitter } from './back-off.ts';
import { type Lease, leases } from './builtin.ts';
import type { KubeClient } from './client.ts';
import { type Clock, fired, pause, settlesWithin, systemClock } from './clock.ts';
import { isKubeError } from './kube-error.ts';
import { claimLease, decideLease, type LeaseObservation, releaseLease } from './lease.ts';
import type { RuntimeMetrics } from './metrics.ts';

/** The lease a process runs for. */
export interface ElectorOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  readonly identity: string;
  readonly namespace: string;
  readonly name: string;
  /** Others may take over this long after the last renewal they saw, ms. */
  readonly durationMs: number;
  /** The leader gives up when it could not renew for this long, ms; less than durationMs. */
  readonly renewDeadlineMs: number;
  /** Between tries, ms. */
  readonly retryMs: number;
  /** Work of the leader that has not stopped after this time keeps the lease from being released, ms. */
  readonly stopDeadlineMs: number;
  readonly clock?: Clock;
}

/** Work while leading. Its signal fires when leadership ends; it resolves when the work has stopped. */
export type Lead = (signal: AbortSignal) => Promise<void>;

/**
 * Runs for a Lease and leads while it holds it. The signal of the work fires
 * when renewing has failed for the renew deadline, which is before any other
 * process may take over. On an orderly stop the work ends first, with the lease
 * still renewed, and then the lease is released.
 */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #clock: Clock;
  #observation: LeaseObservation = { lease: undefined, since: 0 };
  /** Start of the last successful renewal, monotonic ms; leadership counts from there. */
  #renewedAt = -Infinity;
  #leading = false;
  #failure = '';

  constructor(options: ElectorOptions) {
    if (options.renewDeadlineMs >= options.durationMs) {
      throw new RangeError('renewDeadlineMs must be less than durationMs');
    }
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#mark(false);
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** True while no other process can have taken over, also when timers are late. */
  get certain(): boolean {
    return this.#leading && this.#clock.now() - this.#renewedAt < this.#options.renewDeadlineMs;
  }

  /** Campaigns, leads, and campaigns again after a loss, until the signal fires. Never rejects. */
  async run(signal: AbortSignal, lead: Lead): Promise<void> {
    while (!signal.aborted) {
      if (await this.#tryAcquire(signal)) await this.#lead(signal, lead);
      else await pause(this.#clock, jitter(this.#options.retryMs, 0.1), signal);
    }
  }

  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    const { client, identity, log, namespace, name } = this.#options;
    try {
      this.#observe(await this.#read(signal));
      const decision = decideLease(this.#observation, identity, this.#clock.now());
      if (decision.act === 'wait') return false;
      const startedAt = this.#clock.now();
      const previous = this.#observation.lease ?? blankLease(namespace, name);
      const claimed = claimLease(previous, this.#options, this.#clock.wall());
      const held =
        decision.act === 'create'
          ? await client.create(leases, claimed, this.#call(signal))
          : await client.replace(leases, claimed, this.#call(signal));
      this.#observe(held);
      this.#renewedAt = startedAt;
      this.#failure = '';
      log.info({ lease: name, decision }, 'leading');
      return true;
    } catch (error) {
      if (!isKubeError(error, 'conflict', 'exists', 'aborted')) this.#noteFailure(error);
      return false;
    }
  }

  async #lead(signal: AbortSignal, lead: Lead): Promise<void> {
    const { log, name, stopDeadlineMs } = this.#options;
    const term = new AbortController();
    const stopRenewing = new AbortController();
    this.#mark(true);
    const work = lead(term.signal).catch((error: unknown) =>
      log.error({ err: error }, 'the work of the leader failed'),
    );
    const onStop = (): void => term.abort(new Error('stopping'));
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    const renewing = this.#renewUntilLost(stopRenewing.signal).then((lost) => {
      if (!lost) return;
      this.#mark(false);
      log.warn({ lease: name }, 'the lease is lost');
      term.abort(new Error('the lease is lost'));
    });
    await fired(term.signal);
    const stopped = await settlesWithin(this.#clock, work, stopDeadlineMs);
    stopRenewing.abort();
    await renewing;
    signal.removeEventListener('abort', onStop);
    const mayRelease = stopped && this.#leading;
    this.#mark(false);
    if (mayRelease) await this.#release();
    if (stopped) return;
    // There must not be two terms in this process; but one that is to end does not wait for ever.
    log.error({ lease: name }, 'the work of the leader does not stop');
    await Promise.race([work, fired(signal)]);
  }

  /** Renews until told to stop (false) or until the deadline has passed (true). */
  async #renewUntilLost(stop: AbortSignal): Promise<boolean> {
    const { retryMs, renewDeadlineMs } = this.#options;
    for (;;) {
      const left = this.#renewedAt + renewDeadlineMs - this.#clock.now();
      if (left <= 0) return true;
      await pause(this.#clock, Math.min(retryMs, left), stop);
      if (stop.aborted) return false;
      if ((await this.#renew()) === 'taken') return true;
    }
  }

  async #renew(): Promise<'renewed' | 'failed' | 'taken'> {
    const { client, identity, renewDeadlineMs, log, name } = this.#options;
    const startedAt = this.#clock.now();
    const left = this.#renewedAt + renewDeadlineMs - startedAt;
    if (left <= 0) return 'failed';
    const call = { deadlineMs: Math.min(left, Math.max(250, renewDeadlineMs / 2)) };
    try {
      const previous = this.#observation.lease ?? (await client.get(leases, this.#options, call));
      const claimed = claimLease(previous, this.#options, this.#clock.wall());
      this.#observe(await client.replace(leases, claimed, call));
      this.#renewedAt = startedAt;
      return 'renewed';
    } catch (error) {
      if (!isKubeError(error, 'conflict', 'not-found')) {
        log.warn({ lease: name, err: error }, 'cannot renew the lease');
        return 'failed';
      }
      // Someone wrote it: perhaps this process, by a call whose answer was lost.
      const now = await client.get(leases, this.#options, call).catch(() => undefined);
      this.#observe(now);
      return now !== undefined && now.spec?.holderIdentity !== identity ? 'taken' : 'failed';
    }
  }

  /** Says each kind of failure once in a row: it comes back every two seconds. */
  #noteFailure(error: unknown): void {
    const { log, name } = this.#options;
    const failure = isKubeError(error) ? error.code : String(error);
    if (failure === this.#failure) return;
    this.#failure = failure;
    log.warn({ lease: name, err: error }, 'cannot reach for the lease, trying on');
  }

  async #release(): Promise<void> {
    const { client, log, name } = this.#options;
    const held = this.#observation.lease;
    if (held === undefined) return;
    try {
      await client.replace(leases, releaseLease(held, this.#clock.wall()), { deadlineMs: 3_000 });
      log.info({ lease: name }, 'the lease is released');
    } catch (error) {
      log.warn({ lease: name, err: error }, 'cannot release the lease: it will expire');
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get(leases, this.#options, this.#call(signal));
    } catch (error) {
      if (isKubeError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  #call(signal: AbortSignal): { deadlineMs: number; signal: AbortSignal } {
    return { deadlineMs: this.#options.renewDeadlineMs, signal };
  }

  #observe(lease: Lease | undefined): void {
    const known = this.#observation.lease?.metadata.resourceVersion;
    if (lease !== undefined && lease.metadata.resourceVersion === known) return;
    this.#observation = { lease, since: this.#clock.now() };
  }

  #mark(leading: boolean): void {
    this.#leading = leading;
    this.#options.metrics.leading.set({ name: this.#options.name }, leading ? 1 : 0);
  }
}

function blankLease(namespace: string, name: string): Lease {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } };
}
