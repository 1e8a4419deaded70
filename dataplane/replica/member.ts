import type { Logger } from 'pino';
import type { ControlReply } from '../../contract/control.ts';
import type { RebuildReport, ReplicaReport, ReplicaState } from '../../contract/heartbeat.ts';
import type { Clock } from '../log/clock.ts';
import type { LogExtent, ReplicatedLog } from '../log/replicated-log.ts';
import type { Applier, Judged } from './applier.ts';
import type { Flight } from './flight.ts';
import { historyOf, type History } from './history.ts';
import { Leadership } from './leadership.ts';
import { promote } from './promotion.ts';
import { ReplicaError, type ReplicaErrorCode } from './replica-error.ts';
import type { Replica } from './replica.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import { Session } from './session.ts';
import type { StateMachine } from './state-machine.ts';

export interface MemberOptions {
  /** Pod and incarnation: who writes entries. Differs for every start of the process. */
  readonly writer: string;
  readonly log: ReplicatedLog;
  readonly machine: StateMachine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly snapshots: SnapshotSource;
  /** Creation time of the log that the operator made; null while it is not known. */
  readonly expectedLog: () => string | null;
  /** Who on this node is rebuilt before this replica; left out: nobody. */
  readonly rebuildsBefore?: () => string | null;
  /** State, role or term changed. */
  readonly onChange: () => void;
  /** An entry of this replica counts in the log and is applied. */
  readonly onCommitted?: (flight: Flight, judged: Judged) => void;
  /** The store was replaced by a peer's snapshot. */
  readonly onRebuilt?: () => void;
}

const tickMs = 250;
/** A store that works on one batch for this long hangs: a wedged disk. A primary gives up then, so that another can lead. */
const wedgedMs = 5_000;
/** So does one that does not get its writes to the disk for this long. */
const wedgedFlushMs = 10_000;
/**
 * A primary that has not reached the log for this long leads no more: another may reach it. Longer than JetStream takes
 * to choose a new leader (4 to 9 s), because then nobody reaches it, and a change of primary would help nobody.
 */
const outOfReachMs = 10_000;

/** A replica without its surroundings: no pod, no NATS, no wall clock of its own. */
export class Member implements Replica {
  readonly #options: MemberOptions;
  readonly #leadership: Leadership;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(leading: boolean, term: number) => void>();
  #session: Session | null = null;
  #state: ReplicaState = 'starting';
  #reason: string | undefined;
  #tail = 0;
  #told = '';
  #flushingSince: number | null = null;
  #rebuild: RebuildReport | null = null;
  #outOfReach = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#leadership = new Leadership({
      log: options.log,
      clock: options.clock,
      writer: options.writer,
      machine: options.machine,
      applier: this.#applierView(),
      onChange: () => this.#changed(),
      onCommitted: (flight, judged) => options.onCommitted?.(flight, judged),
      onFull: (message) => options.logger.error({ message }, 'the log refuses entries'),
    });
  }

  /** The applier changes when the store is rebuilt; those who write keep this. */
  #applierView(): Pick<Applier, 'offer' | 'offerOwn' | 'history'> {
    const history = (): History => this.history;
    return {
      offer: (entry) => this.#session?.applier?.offer(entry),
      offerOwn: (seq, entry) => this.#session?.applier?.offerOwn(seq, entry),
      get history() {
        return history();
      },
    };
  }

  get leading(): boolean {
    return this.#leadership.leading;
  }

  get term(): number {
    return this.history.term;
  }

  get applied(): number {
    return this.#session?.applier?.applied ?? this.#options.machine.position()?.seq ?? 0;
  }

  get history(): History {
    return this.#session?.applier?.history ?? historyOf(this.#options.machine.position());
  }

  get state(): ReplicaState {
    if (this.#wedged) return 'halted';
    return this.leading ? 'primary' : this.#state;
  }

  get #wedged(): boolean {
    const flushing = this.#flushingSince === null ? 0 : this.#options.clock.now() - this.#flushingSince;
    return (this.#session?.applier?.busyMs ?? 0) > wedgedMs || flushing > wedgedFlushMs;
  }

  mayRead(): boolean {
    return this.#leadership.mayRead();
  }

  /** Wall clock that the members of the set agree on, milliseconds since 1970. */
  wall(): number {
    return this.#options.clock.wall();
  }

  /** Entries known to be in the log and not applied. */
  get lag(): number {
    return Math.max(this.#tail, this.history.seq) - Math.min(this.applied, this.history.seq);
  }

  /** Operations that wait to be written. */
  get waiting(): number {
    return this.#leadership.waiting;
  }

  /** What the log was last known to hold. */
  get extent(): LogExtent | null {
    return this.#session?.extent ?? null;
  }

  refusal(bytes: number): ReplicaErrorCode | null {
    return this.#leadership.commit.refusal(bytes);
  }

  propose(operation: Uint8Array): Promise<number> {
    const refusal = this.refusal(operation.length);
    if (refusal !== null) return Promise.reject(new ReplicaError(refusal, `refused: ${refusal}`));
    return this.#leadership.commit.add(operation);
  }

  readBarrier(): Promise<void> {
    return this.#leadership.readBarrier();
  }

  onRole(listener: (leading: boolean, term: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  report(): ReplicaReport {
    const { applied, term } = this;
    const tail = Math.max(applied, this.#tail, this.history.seq);
    const reason = this.#wedged ? 'the store does not finish a write: is the disk stuck?' : this.#reason?.slice(0, 500);
    const figures = this.#options.machine.figures();
    const rebuild = this.#rebuild === null ? {} : { rebuild: this.#rebuild };
    return { state: this.state, term, applied, tail, figures, ...rebuild, ...(reason === undefined ? {} : { reason }) };
  }

  /** Makes what is applied now survive a power cut; answers its sequence. A disk that hangs here ends a leadership. */
  async flush(): Promise<number> {
    const { applied } = this;
    this.#flushingSince = this.#options.clock.now();
    try {
      await this.#options.machine.flush?.();
      return applied;
    } finally {
      this.#flushingSince = null;
    }
  }

  /** Starts to live; returns at once. */
  start(): void {
    this.#running = Promise.all([this.#live(), this.#ticks()]);
  }

  /** Steps down and stops; resolves when the machine is at rest. */
  async stop(): Promise<void> {
    await this.stepDown();
    await this.kill();
  }

  /** Stops without a word to the log. */
  async kill(): Promise<void> {
    this.#stop.abort();
    this.#leadership.abandon();
    await this.#running;
  }

  stepDown(): Promise<void> {
    return this.#leadership.stepDown();
  }

  /** Become primary with this term, if the log agrees. */
  async promote(term: number): Promise<ControlReply> {
    const applier = this.#session?.applier ?? null;
    if (this.leading && this.term === term) return { ok: true, term, applied: this.applied };
    if (applier === null || !this.#able) {
      return { ok: false, code: 'not-ready', message: this.report().reason ?? `it is ${this.state}`, term: this.term };
    }
    const { log, clock, writer } = this.#options;
    this.#setState('promoting');
    try {
      return await promote({ log, clock, writer, applier, leadership: this.#leadership }, term);
    } finally {
      if (this.#session?.applier === applier) this.#endPromotion();
    }
  }

  get #able(): boolean {
    return this.state === 'primary' || this.state === 'following';
  }

  #endPromotion(): void {
    if (this.#state === 'promoting') this.#setState('following');
  }

  async #live(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#session = new Session(
        { rebuildsBefore: () => null, ...this.#options },
        {
          state: (state, reason) => this.#setState(state, reason),
          tail: (seq) => {
            this.#tail = seq;
          },
          judged: (judged) => this.#leadership.judged(judged),
          applied: (entries) => this.#applied(entries),
          progress: (report) => this.#progress(report),
          rebuilt: () => this.#options.onRebuilt?.(),
        },
      );
      const pause = await this.#session.run(signal);
      this.#leadership.abandon();
      if (!signal.aborted) await this.#options.clock.sleep(pause, signal);
    }
  }

  #progress(report: RebuildReport | null): void {
    const stageChanged = this.#rebuild?.stage !== report?.stage;
    this.#rebuild = report;
    if (stageChanged) this.#options.onChange();
  }

  #applied(entries: readonly Judged[]): void {
    const { term } = this.history;
    for (const judged of entries) this.#leadership.applied(judged, term);
    if (this.term !== this.#toldTerm()) this.#changed();
  }

  #toldTerm(): number {
    return Number(this.#told.split(' ')[1] ?? 0);
  }

  async #ticks(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#leadership.tick();
      if (this.#wedged) this.#leadership.abandon();
      else this.#giveUpOutOfReach();
      await this.#options.clock.sleep(tickMs, signal);
    }
  }

  #giveUpOutOfReach(): void {
    const ms = Math.max(this.#leadership.commit.oldestMs, this.#session?.outOfContactMs ?? 0);
    if (this.#outOfReach && ms < outOfReachMs / 2) {
      this.#outOfReach = false;
      this.#setState(this.#state);
    }
    if (!this.leading || ms <= outOfReachMs) return;
    this.#outOfReach = true;
    this.#leadership.abandon();
    this.#setState(this.#state, `it gave its term up: it did not reach the log for ${Math.round(ms / 1000)} s`);
  }

  #setState(state: ReplicaState, reason?: string): void {
    if (this.#state !== state || this.#reason !== reason) {
      this.#options.logger.info({ state, reason, applied: this.applied }, 'replica state');
    }
    this.#state = state;
    this.#reason = reason;
    this.#changed();
  }

  /** Tells listeners about role and term once per change, the surroundings about every change. */
  #changed(): void {
    const { leading, term } = this;
    const now = `${leading} ${term}`;
    if (now !== this.#told) {
      this.#told = now;
      this.#options.logger.info({ leading, term }, 'replica role');
      for (const listener of this.#listeners) listener(leading, term);
    }
    this.#options.onChange();
  }
}
