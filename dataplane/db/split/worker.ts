import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Replica } from '../../replica/replica.ts';
import { DbError } from '../db-error.ts';
import { keyOfText } from '../store/key-range.ts';
import type { Source } from './intake-source.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { decodeIntake, intakeNote, type IntakeNote } from './intake-note.ts';
import { anew, nextWork, type MergeFrom, type Work } from './next-work.ts';
import type { RangeReporter, SplitFrom } from './range-report.ts';
import type { RemoteSource } from './remote-source.ts';

export interface WorkerOptions {
  /** Name of this shard. */
  readonly shard: string;
  readonly replica: Pick<Replica, 'leading' | 'term' | 'propose' | 'readBarrier'>;
  readonly executor: IntakeOptions['executor'];
  readonly store: IntakeOptions['store'];
  readonly reporter: Pick<RangeReporter, 'tell'>;
  /** What the directory wants of this shard. */
  readonly splitFrom: () => SplitFrom | null;
  /** The same, of a shard that serves keys. Left out: nothing. */
  readonly mergeFrom?: () => MergeFrom | null;
  /** A shard whose keys are taken over. */
  readonly source: (shard: string) => Source & Pick<RemoteSource, 'plan' | 'planMerge' | 'keep'>;
  /** See `objectionToOpening`. Left out: none. */
  readonly objection?: (source: string) => string | null;
  readonly log: Logger;
  /** See `IntakeOptions.pieceBytes`. */
  readonly pieceBytes?: number;
  readonly onWritten?: (bytes: number) => void;
  /** Told how long each phase took, milliseconds. */
  readonly onPhase?: (phase: Phase, ms: number) => void;
}

/** How far a shard is with taking over keys; none: it does not. */
export type Phase = IntakeNote['phase'] | 'waiting' | 'none';

/** When there is nothing to do, it looks again after this time, milliseconds. */
const idleMs = 250;
/** Pause after failures: doubles from the first to the last. */
const backOffMs = { first: 100, longest: 5_000 } as const;
/** The source is told what it has to keep this often: several times before it forgets. */
const keepEveryMs = 10_000;
/** The same problem is logged this often. */
const repeatLogMs = 30_000;

const jittered = (ms: number): number => ms * (0.75 + Math.random() / 2);

/** The pause after so many failures in a row, milliseconds. */
const pauseAfter = (failures: number): number =>
  jittered(Math.min(backOffMs.first * 2 ** Math.min(failures - 1, 16), backOffMs.longest));

/** What is done under one term for one source. */
interface Job {
  readonly term: number;
  readonly from: string;
  readonly source: ReturnType<WorkerOptions['source']>;
  readonly intake: Intake;
}

/**
 * Takes over the keys that the directory gives to this shard, while its member leads. One step after the other: two at
 * once would lose data.
 */
export class SplitWorker {
  readonly #options: WorkerOptions;
  #job: Job | null = null;
  #failures = 0;
  #problem: string | undefined;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #phase: Phase = 'none';
  #phaseSince = performance.now();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** How far it is here; a member that does not lead says what its log says. */
  get phase(): Phase {
    const intake = this.#intake();
    if (intake) return intake.phase;
    const { kind } = this.#work();
    return kind === 'begin' || kind === 'merge' ? 'waiting' : 'none';
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const keeping = this.#keepLog(signal);
    while (!signal.aborted) {
      const pause = await this.turn();
      if (pause > 0) await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
    await keeping;
  }

  /** Does the next part. Never rejects; answers how long to wait before the next, milliseconds. */
  async turn(): Promise<number> {
    const { replica } = this.#options;
    const work = this.#work();
    this.#notePhase();
    if (work.kind === 'nothing' || !replica.leading) return this.#rest(work);
    try {
      await this.#do(work);
      this.#failures = 0;
      this.#say(undefined);
      return 0;
    } catch (error) {
      if (!replica.leading) return this.#rest(work);
      this.#failures += 1;
      this.#say(error instanceof Error ? error.message : String(error), error);
      return pauseAfter(this.#failures);
    } finally {
      this.#notePhase();
    }
  }

  #intake(): IntakeNote | null {
    const bytes = this.#options.store.notes.get(intakeNote);
    return bytes === undefined ? null : decodeIntake(bytes);
  }

  #work(): Work {
    return nextWork({
      range: this.#options.store.keyRange,
      intake: this.#intake(),
      splitFrom: this.#options.splitFrom(),
      mergeFrom: this.#mergeFrom,
    });
  }

  get #mergeFrom(): MergeFrom | null {
    return this.#options.mergeFrom?.() ?? null;
  }

  #rest(work: Work): number {
    if (work.kind === 'nothing') this.#job = null;
    this.#failures = 0;
    this.#say(undefined);
    return jittered(idleMs);
  }

  async #do(work: Exclude<Work, { kind: 'nothing' }>): Promise<void> {
    if (work.kind === 'refused') throw new Error(work.reason);
    const { intake, source } = this.#jobFor(work.kind === 'begin' ? work.splitFrom.shard : work.from);
    if (work.kind === 'merge') return intake.merge(work.from, await source.planMerge());
    if (work.kind === 'begin') {
      const { shard: from, at } = work.splitFrom;
      const plan = await source.plan(at === null ? null : keyOfText(at));
      return intake.begin({ from, at: plan.at, epoch: plan.epoch });
    }
    if (work.kind === 'give-up' && (await intake.giveUp())) return;
    // What cannot be given up is not interrupted.
    await this.#step(intake, source, () => work.kind === 'give-up' || this.#work().kind !== 'give-up');
  }

  /** A source whose range has changed since the split began is asked anew where it could be split. */
  async #step(intake: Intake, source: Job['source'], wanted: () => boolean): Promise<void> {
    try {
      await intake.step(wanted);
    } catch (error) {
      const note = this.#intake();
      if (!(error instanceof DbError) || error.code !== 'ERR' || note?.phase !== 'log') throw error;
      const plan = note.merge ? await source.planMerge() : await source.plan(note.at);
      const assignment = anew(note, this.#options.store.keyRange, plan);
      if (assignment === null) throw error;
      await intake.again(assignment);
    }
  }

  /** What one primary learns from the source is its own: another term begins with another. */
  #jobFor(from: string): Job {
    const { replica, shard, executor, store, objection, pieceBytes, onWritten } = this.#options;
    const { term } = replica;
    if (this.#job?.term === term && this.#job.from === from) return this.#job;
    const source = this.#options.source(from);
    const intake = new Intake({
      shard,
      source,
      executor,
      replica,
      store,
      objection: () => objection?.(from) ?? null,
      ...(pieceBytes !== undefined && { pieceBytes }),
      ...(onWritten && { onWritten }),
    });
    this.#job = { term, from, source, intake };
    return this.#job;
  }

  /** Beside the steps: a snapshot may take long. */
  async #keepLog(signal: AbortSignal): Promise<void> {
    const { replica, log } = this.#options;
    while (!signal.aborted) {
      await sleep(jittered(keepEveryMs), undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted || !replica.leading) continue;
      await this.#job?.source.keep().catch((error: unknown) => {
        log.warn({ err: error }, 'split: the source was not told to keep its log');
      });
    }
  }

  #say(problem: string | undefined, error?: unknown): void {
    const now = performance.now();
    if (problem !== undefined && (problem !== this.#problem || now - this.#loggedAt > repeatLogMs)) {
      this.#loggedAt = now;
      this.#options.log.warn({ err: error, phase: this.phase, failures: this.#failures }, 'split: trying again');
    }
    this.#problem = problem;
    const { reporter, splitFrom } = this.#options;
    const mergeFrom = this.#mergeFrom;
    reporter.tell(
      { splitFrom: splitFrom(), mergeFrom: mergeFrom?.emptied ? null : (mergeFrom?.shard ?? null) },
      problem,
    );
  }

  #notePhase(): void {
    const { phase } = this;
    if (phase === this.#phase) return;
    const ms = Math.round(performance.now() - this.#phaseSince);
    const { from, at, epoch } = this.#intake() ?? {};
    this.#options.log.info({ phase, before: this.#phase, ms, from, at, epoch }, 'split: phase');
    this.#options.onPhase?.(this.#phase, ms);
    this.#phase = phase;
    this.#phaseSince = performance.now();
  }
}
