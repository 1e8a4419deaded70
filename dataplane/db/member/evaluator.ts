import { commandOf, rangeEpochOf } from '../batch/epoch.ts';
import { decodeWatched, requestKind, type BatchedRequest } from '../batch/request-batch.ts';
import type { ShardCommand } from '../commands/command.ts';
import { CommandTable, memberCommands, type DataCommand } from '../commands/table.ts';
import { DbError, errorLine } from '../db-error.ts';
import { Frame, readTrusted } from '../resp/frame.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import { keepsKeysOfOthers } from '../split/merge-begin.ts';
import { decodeNote, encodeNote, noteName, transactionOf } from '../two-phase/note.ts';
import { carryOut, type PartState } from '../two-phase/participant.ts';
import { decodeStep, isOrdered, type Step } from '../two-phase/step.ts';
import { claimsOfCommand, claimsOfTransaction, type Claims } from './claims.ts';
import { Gate, isInRange, type Obstacle } from './gate.ts';
import { decodeRange, rangeNote, type KeyRange } from '../store/key-range.ts';
import type { Removals } from './removals.ts';
import type { Speculation } from './speculation.ts';
import { evaluateTransaction } from './transaction.ts';
import { readCommands } from './state-reads.ts';
import { valueCommands } from './value-commands.ts';
import { versionsCommand } from './versions.ts';

/**
 * What became of a request: its reply is written; or it has to wait, or to go elsewhere, and nothing was changed;
 * or it is a read of the whole shard that is carried out later.
 */
export type Verdict = 'replied' | Obstacle | ShardCommand;

const noClaims: Claims = { keys: [], all: false, whole: false, clears: false };

/** Carries out single requests against the speculative state of a primary, and guards its range and its locks. */
export class Evaluator {
  readonly reply = new ReplyWriter(64 * 1024);
  readonly gate = new Gate();
  readonly #state: Speculation;
  readonly #removals: Removals;
  readonly #commands: CommandTable<DataCommand>;
  readonly #frame = new Frame();
  readonly #part: PartState;
  /** Locks were released: what waits may go on. */
  readonly #onRelease: () => void;

  constructor(state: Speculation, removals: Removals, onRelease: () => void) {
    this.#state = state;
    this.#removals = removals;
    this.#onRelease = onRelease;
    this.#commands = new CommandTable<DataCommand>([
      ...memberCommands().all,
      ...valueCommands,
      ...readCommands,
      versionsCommand(removals),
    ]);
    this.#part = {
      note: (name) => state.note(name),
      setNote: (name, value) => state.setNote(name, value),
      forgetNote: (name) => state.forgetNote(name),
      replay: (effects) => state.replay(effects),
    };
  }

  /** Takes locks and range from the notes, `range` where they do not say. Answers whether they did not. */
  restore(range: KeyRange | null): boolean {
    const notes = new Map(this.#state.notes());
    const known = notes.get(rangeNote);
    this.gate.locks.rebuild(notes);
    for (const [name, bytes] of notes) this.#reserve(name, bytes);
    this.gate.range = known ? decodeRange(known) : range;
    return known === undefined;
  }

  #reserve(name: string, bytes: Buffer): void {
    const note = transactionOf(name) === null ? null : decodeNote(bytes);
    if (note?.state === 'prepared') this.#state.reserveGenerations(note.effects);
  }

  /** What a request reads and writes. @throws RangeError when it is malformed */
  claims(request: BatchedRequest): Claims {
    const { kind, payload } = request;
    if ((kind & requestKind.transaction) !== 0) return claimsOfTransaction(commandOf(request), this.#commands);
    if ((kind & requestKind.step) === 0) return claimsOfCommand(commandOf(request), this.#commands);
    const step = decodeStep(payload);
    return step.name === 'prepare' ? claimsOfTransaction(step.transaction, this.#commands) : noClaims;
  }

  /** Bytes that a request may write, about. */
  weight({ kind, payload }: BatchedRequest): number {
    if ((kind & requestKind.step) === 0 || isOrdered(payload)) return payload.length;
    return this.#state.note(noteName(decodeStep(payload).id))?.length ?? 0;
  }

  /** Evaluates a request; the reply is in {@link reply}. */
  evaluate(request: BatchedRequest, now: number): Verdict {
    this.reply.protocol = (request.kind & requestKind.resp3) === 0 ? 2 : 3;
    this.reply.length = 0;
    this.#state.begin(now);
    try {
      return this.#obstacle(request) ?? this.#carryOut(request);
    } catch (error) {
      this.#fail(error);
      return 'replied';
    }
  }

  #obstacle(request: BatchedRequest): Obstacle | null {
    const { kind, payload } = request;
    if (this.gate.open && (kind & requestKind.epoch) === 0) return null;
    const step = (kind & requestKind.step) !== 0;
    if (step && !isOrdered(payload)) return null;
    const claims = this.claims(request);
    // The asker tries again.
    if (claims.clears && keepsKeysOfOthers((name) => this.#state.note(name))) return 'moved';
    return this.gate.judge(claims, rangeEpochOf(request), step);
  }

  /** Whether a request is about keys that the shard still has when it is carried out. */
  isInRange(request: BatchedRequest, range: KeyRange | null): boolean {
    return isInRange(this.claims(request), range, rangeEpochOf(request));
  }

  #fail(error: unknown): void {
    this.#state.rollback();
    this.reply.length = 0;
    this.reply.error(errorLine(error));
  }

  #carryOut(request: BatchedRequest): Verdict {
    const { kind, payload } = request;
    if ((kind & requestKind.transaction) !== 0) this.#transaction(commandOf(request));
    else if ((kind & requestKind.step) !== 0) this.#step(decodeStep(payload));
    else {
      readTrusted(this.#frame, commandOf(request), 0);
      const command = this.#commands.find(this.#frame);
      if (!command) throw new DbError('ERR', 'this member does not know the command');
      if (command.kind === 'shard') return command;
      command.evaluate(this.#state, this.#frame, this.reply);
    }
    return 'replied';
  }

  /** Answers false when a watched key has changed. */
  #transaction(payload: Buffer): boolean {
    return evaluateTransaction(
      { payload, ...decodeWatched(payload) },
      { state: this.#state, removals: this.#removals, commands: this.#commands, reply: this.reply },
    );
  }

  #step(step: Step): void {
    if (step.name === 'prepare') return this.#prepare(step);
    const answer = carryOut(step, this.#part);
    if (!this.#isPrepared(step.id)) this.#release(step.id);
    this.reply.simple(answer);
  }

  #isPrepared(id: string): boolean {
    const note = this.#state.note(noteName(id));
    return note !== undefined && decodeNote(note).state === 'prepared';
  }

  #release(id: string): void {
    if (this.gate.locks.release(id)) this.#onRelease();
  }

  /** Evaluates a part without letting it be seen: what it writes is kept in a note, its keys are locked. */
  #prepare(step: Extract<Step, { name: 'prepare' }>): void {
    const name = noteName(step.id);
    if (this.#state.note(name) !== undefined) throw new DbError('ERR', 'the transaction is prepared already');
    const keys = [...new Set(claimsOfTransaction(step.transaction, this.#commands).keys)];
    const unchanged = this.#transaction(step.transaction);
    const { dependsOn } = this.#state;
    const effects = this.#state.capture();
    if (!unchanged) {
      this.#state.dependsOn = dependsOn;
      return;
    }
    this.#state.setNote(name, encodeNote({ state: 'prepared', ...step.roles, keys, effects }));
    this.gate.locks.hold(step.id, keys);
  }
}
