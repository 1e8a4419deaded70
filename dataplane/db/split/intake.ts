import { setTimeout as sleep } from 'node:timers/promises';
import { DbError } from '../db-error.ts';
import { maxOperationBytes } from '../limits.ts';
import type { Executor } from '../member/executor.ts';
import { ReplicaError, type Replica } from '../../replica/replica.ts';
import type { CommittedEntry, Position } from '../../replica/state-machine.ts';
import { EffectWriter } from '../store/effects.ts';
import { encodeRange, rangeNote, straysNote } from '../store/key-range.ts';
import type { SnapshotRecord } from '../store/snapshot-codec.ts';
import type { Store } from '../store/store.ts';
import { copyOperation, copyRecord } from './copied.ts';
import type { HandOver } from './hand-over.ts';
import {
  decodeIntake,
  encodeIntake,
  intakeNote,
  rangeOfIntake,
  type Assignment,
  type IntakeNote,
} from './intake-note.ts';
import { silentNote } from './silent.ts';
import type { GivenAway } from './source.ts';

/** The shard that is split, as the new one sees it. Each call may fail, and is then made again. */
export interface Source {
  /** All that it holds, at one place of its log. */
  snapshot(): Promise<{ readonly position: Position; readonly records: AsyncIterable<SnapshotRecord> }>;
  /** Some of the committed entries after a place; null: its log does not reach back so far, or is another one. */
  entries(after: Position): Promise<SourcePage | null>;
  /** See `SplitSource.handOver`. */
  handOver(asked: HandOver): Promise<GivenAway>;
  /** See `SplitSource.release`. */
  release(asked: Pick<HandOver, 'to' | 'epoch'>): Promise<void>;
}

/** A committed entry, and where one is in the log who has it. */
export interface SourceEntry {
  readonly operations: CommittedEntry['operations'];
  readonly position: Position;
}

export interface SourcePage {
  readonly entries: readonly SourceEntry[];
  /** Nothing up to here is left out. */
  readonly position: Position;
  /** Whether the log goes on. */
  readonly more: boolean;
}

export interface IntakeOptions {
  /** Name of this shard. */
  readonly shard: string;
  readonly source: Source;
  readonly executor: Pick<Executor, 'takeRange'>;
  readonly replica: Pick<Replica, 'leading' | 'term' | 'propose' | 'readBarrier'>;
  readonly store: Pick<Store, 'notes' | 'keyRange'>;
  /** What is copied is proposed in pieces of about so many bytes. Left out: few enough to hold nobody up. */
  readonly pieceBytes?: number;
  /** Why the keys are not to be asked for yet; null: they are. Left out: never. */
  readonly objection?: () => string | null;
  /** Told how many bytes were written to the log. */
  readonly onWritten?: (bytes: number) => void;
}

/**
 * While the log is away copying waits for it for so long, milliseconds, before it begins again: longer than JetStream
 * takes to choose a new leader (4 to 9 s), shorter than a snapshot waits for its reader (20 s).
 */
const patienceMs = 15_000;
const retryMs = { first: 25, longest: 1_000 } as const;

/** Larger ones are not faster, and whoever shares the log or the cores waits longer for each. */
const defaultPieceBytes = 256 * 1024;

/** After each piece of a copy it rests as long as writing that took, but not longer: others use the same disks. */
const longestRestMs = 50;

/** What a cursor takes beside the effects in one operation, bytes; more than it ever is. */
const noteBytes = 4096;

/**
 * Fills a new shard with the keys of the one that is split; runs on the new shard's primary. Everything that it knows is
 * in the shard's own log, so a primary that follows goes on where this one was, and a step that is done again finds it done.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #writer = new EffectWriter();
  readonly #pieceBytes: number;
  /** The source's first answer. It stays true; a later one names a later sequence, which a busy source is always ahead of. */
  #given: GivenAway | undefined;
  /** The outcome of a proposal is not known: what the store shows may not be all. */
  #unsure = true;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#pieceBytes = options.pieceBytes ?? defaultPieceBytes;
  }

  /** Makes an empty shard a new half of another one. Does nothing when it is one already. @throws DbError ERR it has a range */
  async begin(assignment: Assignment): Promise<void> {
    const term = await this.#prove();
    const { keyRange: range } = this.#options.store;
    if (range !== null) {
      if (range.start === assignment.at && range.epoch >= assignment.epoch) return;
      throw new DbError('ERR', 'only a shard that never served keys can take over those of another');
    }
    this.#writer.note(rangeNote, encodeRange(rangeOfIntake(assignment)));
    this.#writer.note(straysNote, Buffer.alloc(0));
    this.#note({ ...assignment, phase: 'snapshot' });
    await this.#propose(term);
    this.#options.executor.takeRange();
  }

  /**
   * Copies all once more, for a later epoch: the source's range has changed, so it will never give keys away in the one
   * of before. @throws DbError ERR it is too late, or no later epoch
   */
  async again(epoch: number): Promise<void> {
    const term = await this.#prove();
    const bytes = this.#options.store.notes.get(intakeNote);
    const intake = bytes === undefined ? null : decodeIntake(bytes);
    if (intake === null || intake.phase === 'open' || epoch <= intake.epoch) {
      throw new DbError('ERR', 'a shard that has its keys does not take them over again');
    }
    const assignment = { from: intake.from, at: intake.at, epoch };
    this.#writer.note(rangeNote, encodeRange(rangeOfIntake(assignment)));
    this.#note({ ...assignment, phase: 'snapshot' });
    await this.#propose(term);
    this.#options.executor.takeRange();
  }

  /**
   * Does the next part of the work; to be called again only when it has ended. Answers whether all is over.
   * @throws DbError TRYAGAIN, ReplicaError, or what the source throws: nothing is lost, and it may be called again
   */
  async step(): Promise<boolean> {
    const term = await this.#prove();
    const bytes = this.#options.store.notes.get(intakeNote);
    if (bytes === undefined) return true;
    const intake = decodeIntake(bytes);
    if (intake.phase === 'snapshot') await this.#copy(intake, term);
    else if (intake.phase === 'log') await this.#follow(intake, term);
    else await this.#conclude(intake, term);
    return false;
  }

  async #copy({ from, at, epoch }: IntakeNote, term: number): Promise<void> {
    this.#writer.clear();
    await this.#propose(term);
    const { position, records } = await this.#options.source.snapshot();
    for await (const record of records) {
      copyRecord(record, this.#writer);
      if (this.#writer.length <= this.#pieceBytes) continue;
      const began = performance.now();
      await this.#insist(term);
      await sleep(Math.min(performance.now() - began, longestRestMs));
    }
    this.#note({ from, at, epoch, phase: 'log', position });
    await this.#propose(term);
  }

  async #follow(intake: Extract<IntakeNote, { phase: 'log' }>, term: number): Promise<void> {
    const page = await this.#options.source.entries(intake.position);
    if (page === null) {
      const { from, at, epoch } = intake;
      this.#note({ from, at, epoch, phase: 'snapshot' });
      return this.#propose(term);
    }
    for (const entry of page.entries) await this.#take(entry, intake, term);
    if (page.position.seq > intake.position.seq) await this.#reach({ ...intake, position: page.position }, term);
    if (page.more) return;
    const given = await this.#ask(intake);
    if (page.position.seq >= given.seq) await this.#open(intake, given, term);
  }

  async #ask({ at, epoch }: IntakeNote): Promise<GivenAway> {
    const { source, shard, objection } = this.#options;
    const reason = this.#given === undefined ? (objection?.() ?? null) : null;
    if (reason !== null) throw new DbError('TRYAGAIN', reason);
    this.#given ??= await source.handOver({ at, epoch, to: shard });
    return this.#given;
  }

  /** Writes an entry; proposes what was written before when both are too much for one operation. */
  async #take(
    { position, operations }: SourceEntry,
    intake: Extract<IntakeNote, { phase: 'log' }>,
    term: number,
  ): Promise<void> {
    for (const operation of operations) {
      if (this.#writer.length + operation.length + noteBytes > maxOperationBytes) await this.#propose(term);
      copyOperation(operation, this.#writer);
    }
    // Only at the end of an entry: one that is half taken is taken again, from its beginning.
    if (this.#writer.length > this.#pieceBytes) await this.#reach({ ...intake, position }, term);
  }

  /** All up to a sequence is taken. */
  async #reach(intake: IntakeNote, term: number): Promise<void> {
    if (this.#writer.length + noteBytes > maxOperationBytes) await this.#propose(term);
    this.#note(intake);
    await this.#propose(term);
  }

  /** The one entry from which on the keys are served here. */
  async #open({ from, at, epoch }: IntakeNote, { range }: GivenAway, term: number): Promise<void> {
    this.#writer.note(rangeNote, encodeRange(range));
    this.#note({ from, at, epoch, phase: 'open' });
    await this.#propose(term);
    this.#options.executor.takeRange();
  }

  async #conclude({ epoch }: IntakeNote, term: number): Promise<void> {
    this.#options.executor.takeRange();
    await this.#options.source.release({ to: this.#options.shard, epoch });
    this.#writer.forget(intakeNote);
    this.#writer.forget(silentNote);
    await this.#propose(term);
  }

  /** The operation that was written. Every one begins with the note that it changes nothing that clients could see. */
  #taken(): Buffer {
    const operation = this.#writer.take();
    this.#writer.note(silentNote, Buffer.alloc(0));
    return operation;
  }

  #note(intake: IntakeNote): void {
    this.#writer.note(intakeNote, encodeIntake(intake));
  }

  /** The term in which this member leads. What earlier proposals became is in the store afterwards. */
  async #prove(): Promise<number> {
    const { replica } = this.#options;
    const { term } = replica;
    if (!this.#leads(term)) throw new DbError('TRYAGAIN', 'this member does not lead');
    this.#taken();
    if (this.#unsure) await replica.readBarrier();
    this.#unsure = false;
    return term;
  }

  #leads(term: number): boolean {
    return this.#options.replica.leading && this.#options.replica.term === term;
  }

  /** As {@link #propose}, of what may be in the log twice: a failure that passes does not end the copying. */
  async #insist(term: number): Promise<void> {
    const operation = this.#taken();
    const deadline = performance.now() + patienceMs;
    for (let waitMs: number = retryMs.first; ; waitMs = Math.min(2 * waitMs, retryMs.longest)) {
      try {
        return await this.#write(operation, term);
      } catch (error) {
        if (!mayPass(error) || performance.now() > deadline) throw error;
      }
      await sleep(waitMs * (0.75 + Math.random() / 2));
    }
  }

  /** Proposes what was written. Only in the term in which it was derived: another primary may have gone on since. */
  #propose(term: number): Promise<void> {
    return this.#write(this.#taken(), term);
  }

  async #write(operation: Buffer, term: number): Promise<void> {
    if (!this.#leads(term)) throw new DbError('TRYAGAIN', 'this member leads no more');
    try {
      await this.#options.replica.propose(operation);
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
    this.#options.onWritten?.(operation.length);
  }
}

const mayPass = (error: unknown): boolean =>
  error instanceof ReplicaError && (error.code === 'overloaded' || error.code === 'unknown-outcome');
