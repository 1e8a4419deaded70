import { setTimeout as sleep } from 'node:timers/promises';
import { DbError } from '../db-error.ts';
import { maxOperationBytes } from '../limits.ts';
import type { Executor } from '../member/executor.ts';
import type { Replica } from '../../replica/replica.ts';
import { encodeRange, rangeNote, straysNote } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import { SplitCopier, type Copier } from './copied.ts';
import { IntakeLog } from './intake-log.ts';
import {
  assignmentOf,
  decodeIntake,
  encodeIntake,
  intakeNote,
  openedRange,
  rangeOfIntake,
  type Assignment,
  type IntakeNote,
} from './intake-note.ts';
import type { Source, SourceEntry } from './intake-source.ts';
import { judgeMerge, takerFacts, type MergePlan } from './merge-begin.ts';
import { MergeCopier } from './merge-copy.ts';
import { silentNote } from './silent.ts';
import type { GivenAway } from './source.ts';

export interface IntakeOptions {
  /** Name of this shard. */
  readonly shard: string;
  readonly source: Source;
  readonly executor: Pick<Executor, 'takeRange' | 'inOrder' | 'newGeneration'>;
  readonly replica: Pick<Replica, 'leading' | 'term' | 'propose' | 'readBarrier'>;
  readonly store: Pick<Store, 'notes' | 'keyRange' | 'rows' | 'get' | 'element'>;
  /** What is copied is proposed in pieces of about so many bytes. Left out: few enough to hold nobody up. */
  readonly pieceBytes?: number;
  /** Why the keys are not to be asked for yet; null: they are. Left out: never. */
  readonly objection?: () => string | null;
  /** Told how many bytes were written to the log. */
  readonly onWritten?: (bytes: number) => void;
}

/** Larger ones are not faster, and whoever shares the log or the cores waits longer for each. */
const defaultPieceBytes = 256 * 1024;

/** After each piece of a copy it rests as long as writing that took, but not longer: others use the same disks. */
const longestRestMs = 50;

/** What a cursor takes beside the effects in one operation, bytes; more than it ever is. */
const noteBytes = 4096;

/**
 * Fills a shard with keys of another one; runs on its primary. Everything that it knows is in the shard's own log, so a
 * primary that follows goes on where this one was, and a step that is done again finds it done.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #log: IntakeLog;
  readonly #pieceBytes: number;
  /** Of the step that is being done. */
  #copier: Copier;
  /** The source's first answer. It stays true; a later one names a later sequence, which a busy source is always ahead of. */
  #given: GivenAway | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#log = new IntakeLog({
      replica: options.replica,
      onWritten: (bytes) => {
        this.#copier.written();
        options.onWritten?.(bytes);
      },
    });
    this.#copier = new SplitCopier(this.#log.writer);
    this.#pieceBytes = options.pieceBytes ?? defaultPieceBytes;
  }

  /** Makes an empty shard a new half of another one. Does nothing when it is one already. @throws DbError ERR it has a range */
  async begin(assignment: Assignment): Promise<void> {
    const term = await this.#log.prove();
    const { keyRange: range } = this.#options.store;
    if (range !== null) {
      if (range.start === assignment.at && range.epoch >= assignment.epoch) return;
      throw new DbError('ERR', 'only a shard that never served keys can take over those of another');
    }
    this.#log.writer.note(rangeNote, encodeRange(rangeOfIntake(assignment)));
    this.#log.writer.note(straysNote, Buffer.alloc(0));
    this.#note({ ...assignment, phase: 'snapshot' });
    await this.#log.propose(term);
    this.#options.executor.takeRange();
  }

  /**
   * Makes a shard that serves keys take over its upper neighbour: from then on nobody removes all of its keys.
   * @throws DbError TRYAGAIN not now; ERR never
   */
  async merge(from: string, plan: MergePlan): Promise<void> {
    const term = await this.#log.prove();
    const { executor, store } = this.#options;
    await executor.inOrder((turn) => {
      if (turn.term !== term) throw new DbError('TRYAGAIN', 'this member leads no more');
      const verdict = judgeMerge(takerFacts(turn.gate.range, turn.state.notes()), from, plan);
      if (verdict.kind === 'refused') throw new DbError(verdict.code, verdict.reason);
      const { assignment } = verdict;
      const range = rangeOfIntake(assignment, turn.gate.range);
      turn.state.setNote(rangeNote, encodeRange(range));
      turn.state.setNote(straysNote, Buffer.alloc(0));
      turn.state.setNote(intakeNote, encodeIntake({ ...assignment, phase: 'snapshot' }));
      turn.gate.range = range;
    });
    if (!store.notes.has(intakeNote)) throw new DbError('TRYAGAIN', 'the beginning is not committed yet');
  }

  /**
   * Copies all once more, for a later epoch: the source's range has changed, so it will never give keys away in the one
   * of before. @throws DbError ERR it is too late, or no later epoch
   */
  async again(assignment: Assignment): Promise<void> {
    const term = await this.#log.prove();
    const intake = this.#intake();
    if (intake === null || intake.phase === 'open' || assignment.epoch <= intake.epoch) {
      throw new DbError('ERR', 'a shard that has its keys does not take them over again');
    }
    this.#given = undefined;
    this.#log.writer.note(rangeNote, encodeRange(rangeOfIntake(assignment, this.#options.store.keyRange)));
    this.#note({ ...assignment, phase: 'snapshot' });
    await this.#log.propose(term);
    this.#options.executor.takeRange();
  }

  /**
   * Takes a merge back, if the source has handed nothing over and now never will; what was copied is swept away then.
   * Answers whether it did. @throws as {@link step}
   */
  async giveUp(): Promise<boolean> {
    const term = await this.#log.prove();
    const intake = this.#intake();
    if (!intake?.merge || intake.phase === 'open') return false;
    const { source, shard } = this.#options;
    const { handed } = await source.bar({ to: shard, epoch: intake.epoch, since: intake.merge.since });
    if (handed) return false;
    this.#log.writer.forget(intakeNote);
    await this.#log.propose(term);
    return true;
  }

  /**
   * Does the next part of the work; to be called again only when it has ended. Answers whether all is over. A copy ends
   * before its end when it is no longer `wanted`.
   * @throws DbError TRYAGAIN, ReplicaError, or what the source throws: nothing is lost, and it may be called again
   */
  async step(wanted: () => boolean = () => true): Promise<boolean> {
    const term = await this.#log.prove();
    const intake = this.#intake();
    if (intake === null) return true;
    this.#copier = this.#copierOf(intake);
    if (intake.phase === 'snapshot') await this.#copy(intake, term, wanted);
    else if (intake.phase === 'log') await this.#follow(intake, term);
    else await this.#conclude(intake, term);
    return false;
  }

  #intake(): IntakeNote | null {
    const bytes = this.#options.store.notes.get(intakeNote);
    return bytes === undefined ? null : decodeIntake(bytes);
  }

  #copierOf({ merge, at }: Assignment): Copier {
    const { store, executor } = this.#options;
    const writer = this.#log.writer;
    return merge
      ? new MergeCopier({ writer, store, at, next: () => executor.newGeneration() })
      : new SplitCopier(writer);
  }

  async #copy(intake: IntakeNote, term: number, wanted: () => boolean): Promise<void> {
    await this.#copier.prepare(() => this.#gently(() => this.#log.propose(term)));
    const { position, records } = await this.#options.source.snapshot();
    for await (const record of records) {
      this.#copier.record(record);
      if (this.#log.writer.length <= this.#pieceBytes) continue;
      await this.#gently(() => this.#log.insist(term));
      if (!wanted()) return;
    }
    this.#note({ ...assignmentOf(intake), phase: 'log', position });
    await this.#log.propose(term);
  }

  /** Others use the same log: writes, and rests. */
  async #gently(write: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await write();
    await sleep(Math.min(performance.now() - began, longestRestMs));
  }

  async #follow(intake: Extract<IntakeNote, { phase: 'log' }>, term: number): Promise<void> {
    const page = await this.#options.source.entries(intake.position);
    if (page === null) return this.#restart(intake, term);
    for (const entry of page.entries) {
      if (!(await this.#take(entry, intake, term))) return this.#restart(intake, term);
    }
    if (page.position.seq > intake.position.seq) await this.#reach({ ...intake, position: page.position }, term);
    if (page.more) return;
    const given = await this.#ask(intake);
    if (page.position.seq >= given.seq) await this.#open(intake, given, term);
  }

  /** The copy is worth nothing any more. */
  #restart(intake: IntakeNote, term: number): Promise<void> {
    this.#note({ ...assignmentOf(intake), phase: 'snapshot' });
    return this.#log.propose(term);
  }

  async #ask({ at, epoch, merge }: IntakeNote): Promise<GivenAway> {
    const { source, shard, objection } = this.#options;
    const reason = this.#given === undefined ? (objection?.() ?? null) : null;
    if (reason !== null) throw new DbError('TRYAGAIN', reason);
    this.#given ??= await source.handOver({ at, epoch, to: shard, ...(merge && { since: merge.since }) });
    return this.#given;
  }

  /**
   * Writes an entry; proposes what was written before when both are too much for one operation. Answers false when the
   * copy is worth nothing after it.
   */
  async #take(
    { position, operations }: SourceEntry,
    intake: Extract<IntakeNote, { phase: 'log' }>,
    term: number,
  ): Promise<boolean> {
    for (const operation of operations) {
      await this.#makeRoom(operation.length, term);
      if (!this.#copier.announce(operation)) return false;
      await this.#makeRoom(operation.length, term);
      this.#copier.operation(operation);
    }
    // Only at the end of an entry: one that is half taken is taken again, from its beginning.
    if (this.#log.writer.length > this.#pieceBytes) await this.#reach({ ...intake, position }, term);
    return true;
  }

  /** Proposes what was written when that and so much more were too large for one operation. */
  async #makeRoom(bytes: number, term: number): Promise<void> {
    if (this.#log.writer.length + bytes + noteBytes > maxOperationBytes) await this.#log.propose(term);
  }

  /** All up to a sequence is taken. */
  async #reach(intake: IntakeNote, term: number): Promise<void> {
    await this.#makeRoom(0, term);
    this.#note(intake);
    await this.#log.propose(term);
  }

  /** The one entry from which on the keys are served here. */
  async #open(intake: IntakeNote, { range }: GivenAway, term: number): Promise<void> {
    this.#copier.open();
    this.#log.writer.note(rangeNote, encodeRange(openedRange(intake, this.#options.store.keyRange, range)));
    this.#note({ ...assignmentOf(intake), phase: 'open' });
    await this.#log.propose(term);
    this.#options.executor.takeRange();
  }

  async #conclude({ epoch }: IntakeNote, term: number): Promise<void> {
    this.#options.executor.takeRange();
    await this.#options.source.release({ to: this.#options.shard, epoch });
    this.#log.writer.forget(intakeNote);
    this.#log.writer.forget(silentNote);
    await this.#log.propose(term);
  }

  #note(intake: IntakeNote): void {
    this.#log.writer.note(intakeNote, encodeIntake(intake));
  }
}
