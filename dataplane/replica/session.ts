import type { Logger } from 'pino';
import type { RebuildReport, ReplicaState } from '../../contract/heartbeat.ts';
import { jittered, type Clock } from '../log/clock.ts';
import { LogError } from '../log/log-error.ts';
import type { LogExtent, ReplicatedLog } from '../log/replicated-log.ts';
import { admit, type Admission } from './admission.ts';
import { Applier, type Judged } from './applier.ts';
import { rebuild } from './rebuild.ts';
import { announceMs } from './rebuild-turn.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import type { StateMachine } from './state-machine.ts';

export interface SessionOptions {
  readonly log: ReplicatedLog;
  readonly machine: StateMachine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly snapshots: SnapshotSource;
  readonly expectedLog: () => string | null;
  /** Who on this node is rebuilt before this replica; null: its turn. */
  readonly rebuildsBefore: () => string | null;
}

export interface SessionListener {
  state(state: ReplicaState, reason?: string): void;
  /** The log is known to reach this far. */
  tail(seq: number): void;
  judged(judged: Judged): void;
  applied(judged: readonly Judged[]): void;
  /** A rebuild waits, or goes on; null: it ended. */
  progress(rebuild: RebuildReport | null): void;
  /** The store was replaced by a peer's snapshot. */
  rebuilt(): void;
}

const retryMs = 500;
/** How often the progress of a rebuild is told in words. */
const progressMs = 5_000;
const haltedRetryMs = 5_000;
/** A verdict against the log is given after it was seen this often, a second apart: a new leader may lag for a moment. */
const haltStrikes = 3;
const strikeMs = 1_000;

/**
 * One attempt to follow the log with a store: decide whether they belong together, rebuild if need be, then apply until
 * something ends it. Whatever ends it, the next session decides anew; the store's position is all that is carried over.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #listener: SessionListener;
  readonly #end = new AbortController();
  #applier: Applier | null = null;
  #extent: LogExtent | null = null;
  #failure: Error | null = null;
  /** When the log was last heard of. */
  #contactAt: number;
  #toldProgressAt = Number.NEGATIVE_INFINITY;

  constructor(options: SessionOptions, listener: SessionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#contactAt = options.clock.now();
  }

  get applier(): Applier | null {
    return this.#applier;
  }

  get extent(): LogExtent | null {
    return this.#extent;
  }

  /** Time for which nothing came from the log, milliseconds. An idle log is asked every few seconds. */
  get outOfContactMs(): number {
    return this.#options.clock.now() - this.#contactAt;
  }

  /** Runs until it ends; answers how long to wait before the next one, milliseconds. */
  async run(signal: AbortSignal): Promise<number> {
    const abort = (): void => this.#end.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await this.#attempt();
    } catch (error) {
      return this.#trouble(error);
    } finally {
      signal.removeEventListener('abort', abort);
      await this.#applier?.stop();
    }
  }

  async #attempt(): Promise<number> {
    const admission = await this.#decide();
    switch (admission.kind) {
      case 'halt':
        return this.#halt(admission.reason);
      case 'wait':
        this.#listener.state('starting', admission.reason);
        return retryMs;
      case 'rebuild':
        this.#listener.state('rebuilding', admission.reason);
        return this.#rebuildInTurn();
      case 'follow':
        return this.#follow(admission.from);
    }
  }

  /** Looks at store and log; again, before it says that they do not fit. */
  async #decide(): Promise<Admission> {
    const { clock } = this.#options;
    for (let strike = 1; ; strike++) {
      const admission = await this.#look();
      if (admission.kind !== 'halt' || strike >= haltStrikes || this.#end.signal.aborted) return admission;
      this.#listener.state('starting', admission.reason);
      await clock.sleep(strikeMs, this.#end.signal);
    }
  }

  async #look(): Promise<Admission> {
    const { log, machine, expectedLog, snapshots } = this.#options;
    const position = machine.position();
    const extent = await log.extent();
    this.#learn(extent);
    const inLog = position !== null && position.seq >= extent.first && position.seq <= extent.last;
    const entry = inLog ? await log.get(position.seq) : null;
    const peersAt = Math.max(0, ...snapshots.peers().map(({ applied }) => applied));
    return admit({ position, extent, directory: expectedLog(), entry, peersAt });
  }

  #learn(extent: LogExtent): void {
    this.#contactAt = this.#options.clock.now();
    this.#extent = extent;
    this.#listener.tail(extent.last);
  }

  /** Says that it wants to be rebuilt, and does it when no other on its node goes before. */
  async #rebuildInTurn(): Promise<number> {
    const { clock, rebuildsBefore } = this.#options;
    this.#listener.progress({ stage: 'waiting', bytes: 0, bytesPerSecond: 0 });
    await clock.sleep(announceMs, this.#end.signal);
    const first = rebuildsBefore();
    if (first !== null) {
      this.#listener.state('rebuilding', `${first} is rebuilt on this node first`);
      return jittered(clock, retryMs);
    }
    this.#listener.progress({ stage: 'copying', bytes: 0, bytesPerSecond: 0 });
    const pause = await this.#rebuild();
    this.#listener.progress(null);
    return pause;
  }

  async #rebuild(): Promise<number> {
    const { logger, machine, snapshots, clock } = this.#options;
    const began = clock.now();
    const first = this.#extent?.first ?? 1;
    const created = this.#extent?.created ?? '';
    const onProgress = (peer: string, bytes: number): void => this.#tellProgress(peer, bytes, began);
    const goal = { first, created, signal: this.#end.signal, onProgress };
    const failure = await rebuild({ machine, snapshots, logger }, goal);
    if (failure === null) {
      this.#listener.rebuilt();
      return 0;
    }
    this.#listener.state('rebuilding', failure);
    return jittered(this.#options.clock, retryMs);
  }

  #tellProgress(peer: string, bytes: number, began: number): void {
    const now = this.#options.clock.now();
    const bytesPerSecond = Math.round((bytes * 1000) / Math.max(1, now - began));
    this.#listener.progress({ stage: 'copying', bytes, bytesPerSecond });
    if (now - this.#toldProgressAt < progressMs) return;
    this.#toldProgressAt = now;
    const [soFar, rate] = [bytes, bytesPerSecond].map((it) => (it / 2 ** 20).toFixed(1));
    this.#listener.state('rebuilding', `restoring from ${peer}: ${soFar} MiB so far, ${rate} MiB/s`);
  }

  async #follow(from: number): Promise<number> {
    const { log, machine, clock } = this.#options;
    const created = this.#extent?.created ?? '';
    const applier = new Applier({ machine, created, clock, listener: this.#applierListener() });
    this.#applier = applier;
    this.#listener.state('following');
    let shorter = 0;
    const onExtent = (extent: LogExtent): void => {
      this.#learn(extent);
      shorter = extent.last < applier.applied ? shorter + 1 : 0;
      if (shorter >= haltStrikes) this.#end.abort();
    };
    for await (const batch of log.tail(from, { signal: this.#end.signal, created, onExtent })) {
      this.#listener.tail(batch.at(-1)?.seq ?? 0);
      for (const entry of batch) applier.offer(entry);
      await applier.room();
    }
    if (this.#failure !== null) throw this.#failure;
    return 0;
  }

  #applierListener() {
    return {
      judged: (judged: Judged) => {
        this.#contactAt = this.#options.clock.now();
        this.#listener.judged(judged);
      },
      applied: (judged: readonly Judged[]) => this.#listener.applied(judged),
      failed: (error: Error) => {
        this.#failure = error;
        this.#end.abort();
      },
    };
  }

  #halt(reason: string): number {
    this.#options.logger.error({ reason }, 'halted');
    this.#listener.state('halted', reason);
    return haltedRetryMs;
  }

  #trouble(error: unknown): number {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof LogError)) return this.#halt(`the store failed: ${message}`);
    this.#options.logger.warn({ err: error }, 'the log is in trouble');
    this.#listener.state('starting', message);
    return jittered(this.#options.clock, retryMs);
  }
}
