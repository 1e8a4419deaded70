import type { View } from '../commands/view.ts';
import { DbError } from '../db-error.ts';
import { maxOperationBytes } from '../limits.ts';
import { applyEffects, ignoring, EffectWriter, type EffectTarget } from '../store/effects.ts';
import { overlaidCount, overlaidElements } from '../store/layered.ts';
import type { Element, Range, ReadState } from '../store/reading.ts';
import type { Row } from '../store/row.ts';
import { keepsKeysOfOthers } from '../split/merge-begin.ts';
import type { Removals } from './removals.ts';
import { SpeculativeElements, type ChangedElements, type ElementUndo } from './speculative-elements.ts';
import { SpeculativeNotes } from './speculative-notes.ts';

/** Where committed rows and elements come from. */
export interface CommittedRows extends Omit<ReadState, 'rows'> {
  /** Highest generation that a collection was given so far. */
  readonly generation: number;
  readonly notes: ReadonlyMap<string, Buffer>;
}

/** An operation that is about to be proposed. */
export interface SealedOperation {
  readonly number: number;
  readonly bytes: Buffer;
  /** Keys that it changes. */
  readonly keys: readonly string[];
  readonly elements: ChangedElements;
  /** Names of notes that it changes. */
  readonly notes: readonly string[];
}

interface Pending {
  readonly row: Row | null;
  readonly operation: number;
}

/**
 * The state that a primary evaluates commands against: the committed rows, above them what was proposed and is not
 * committed yet, and on top the open operation, which collects the effects of the requests of one turn. A request that
 * depends on something uncommitted is told which operation: its reply may not leave before that is committed.
 */
export class Speculation implements View {
  now = 0;
  /** Newest uncommitted operation that the current request has seen; 0 = none. */
  dependsOn = 0;
  /** Whether the current request has changed something. */
  changed = false;
  /** Whether the current request wanted to write more than one operation holds. */
  full = false;
  readonly #committed: CommittedRows;
  readonly #effects = new EffectWriter();
  readonly #open = new Map<string, Row | null>();
  #openCleared = false;
  #openNumber = 1;
  readonly #flight = new Map<string, Pending>();
  /** Operation in flight that removed everything; 0 = none. */
  #clearedBy = 0;
  readonly #elements = new SpeculativeElements();
  readonly #notes: SpeculativeNotes;
  readonly #removals: Removals;
  #generation = 0;
  #undo: ([string, Row | null | undefined] | ElementUndo)[] = [];
  #undoLength = 0;
  readonly #replayed: EffectTarget = {
    put: (key, value, expireAt, type) => this.put(key, value, expireAt, type),
    remove: (key) => this.remove(key),
    expire: (key, expireAt) => this.expire(key, expireAt),
    element: (generation, name, value) => this.setElement(generation, name, value),
    clear: () => this.#clear(),
    note: (name, value) => this.setNote(name, value),
    forget: (name) => this.forgetNote(name),
  };

  constructor(committed: CommittedRows, removals: Removals) {
    this.#committed = committed;
    this.#notes = new SpeculativeNotes(committed);
    this.#removals = removals;
  }

  /** Number of the open operation. */
  get open(): number {
    return this.#openNumber;
  }

  get openIsEmpty(): boolean {
    return this.#effects.empty;
  }

  /** Bytes that the open operation holds so far. */
  get openBytes(): number {
    return this.#effects.length;
  }

  /** Starts a request, which can be taken back with {@link rollback}. */
  begin(now: number): void {
    this.now = now;
    this.dependsOn = 0;
    this.changed = false;
    this.full = false;
    this.#undo.length = 0;
    this.#undoLength = this.#effects.length;
  }

  /** Takes back what the current request changed; one that clears cannot be taken back. */
  rollback(): void {
    for (const undo of this.#undo.toReversed()) this.#takeBack(undo);
    this.#undo.length = 0;
    this.#effects.truncate(this.#undoLength);
    this.changed = false;
    // What it read of itself is gone, and its reply is an error that holds whatever becomes of others.
    this.dependsOn = 0;
  }

  get(key: string): Row | undefined {
    const row = this.#find(key);
    return row && row.expireAt !== 0 && row.expireAt <= this.now ? undefined : row;
  }

  /** Removes a key if it expires at exactly this time. Answers whether it did. */
  removeExpired(key: string, at: number): boolean {
    const expired = this.#find(key)?.expireAt === at && at <= this.now;
    if (expired) this.remove(key);
    return expired;
  }

  put(key: string, value: Buffer, expireAt: number, type = 0): void {
    this.#admit(EffectWriter.sizeOfPut(key, value));
    this.#effects.put(key, value, expireAt, type);
    this.#set(key, { type, value: this.#effects.lastValue(value.length), expireAt, version: Infinity });
  }

  remove(key: string): void {
    this.#admit(3 + key.length);
    this.#effects.remove(key);
    this.#removals.removed(key);
    this.#set(key, null);
  }

  expire(key: string, expireAt: number): void {
    const row = this.#find(key);
    if (row === undefined) return;
    this.#admit(11 + key.length);
    this.#effects.expire(key, expireAt);
    this.#set(key, { type: row.type, value: Buffer.from(row.value), expireAt, version: Infinity });
  }

  element(generation: number, name: string): Buffer | undefined {
    const changed = this.#elements.get(generation, name);
    return changed === undefined ? this.#committed.element(generation, name) : (changed ?? undefined);
  }

  elements(generation: number, range: Range): Iterable<Element> {
    return overlaidElements(this.#elements.changes(generation), this.#committed.elements(generation, range), range);
  }

  countElements(generation: number, range: Range): number {
    return overlaidCount(this.#elements.changes(generation), this.#committed, generation, range);
  }

  setElement(generation: number, name: string, value: Buffer | null): void {
    this.#admit(EffectWriter.sizeOfElement(name, value));
    this.#effects.element(generation, name, value);
    const own = value && this.#effects.lastValue(value.length);
    this.#undo.push(this.#elements.set(generation, name, own));
    this.changed = true;
  }

  newGeneration(): number {
    this.#generation = Math.max(this.#generation, this.#committed.generation) + 1;
    return this.#generation;
  }

  /** @throws DbError TRYAGAIN while keys of other shards are here that must not be lost */
  clear(): void {
    if (keepsKeysOfOthers((name) => this.note(name))) {
      throw new DbError('TRYAGAIN', 'keys of the shard are changing hands; try again in a moment');
    }
    this.#clear();
  }

  #clear(): void {
    this.#admit(1);
    this.#effects.clear();
    this.#removals.cleared();
    this.#open.clear();
    this.#openCleared = true;
    this.changed = true;
  }

  /** A record of the shard itself. */
  note(name: string): Buffer | undefined {
    const value = this.#notes.get(name, this.#openNumber);
    this.dependsOn = Math.max(this.dependsOn, this.#notes.dependsOn);
    return value;
  }

  /** All notes, those that are not committed yet included. */
  notes(): Iterable<[string, Buffer]> {
    return this.#notes.all();
  }

  /** Not undone by {@link rollback}: the last thing that a request does. */
  setNote(name: string, value: Buffer): void {
    this.#admit(7 + name.length + value.length);
    this.#effects.note(name, value);
    this.#notes.set(name, value);
    this.changed = true;
  }

  /** As {@link setNote}. */
  forgetNote(name: string): void {
    this.#admit(3 + name.length);
    this.#effects.forget(name);
    this.#notes.set(name, null);
    this.changed = true;
  }

  /** Takes the changes of the current request out again: answers their effects, and rolls back. */
  capture(): Buffer {
    const effects = this.#effects.since(this.#undoLength);
    this.rollback();
    return effects;
  }

  /** Makes changes that {@link capture} took out. */
  replay(effects: Buffer): void {
    applyEffects(effects, this.#replayed);
  }

  /** Effects that {@link capture} took out under another primary may come: their generations are taken. */
  reserveGenerations(effects: Buffer): void {
    const element = (generation: number): void => {
      this.#generation = Math.max(this.#generation, generation);
    };
    applyEffects(effects, { ...ignoring, element });
  }

  /** Closes the open operation: it is in flight from now on. */
  seal(): SealedOperation {
    const number = this.#openNumber;
    const keys = [...this.#open.keys()];
    if (this.#openCleared) {
      this.#flight.clear();
      this.#clearedBy = number;
    }
    for (const [key, row] of this.#open) this.#flight.set(key, { row, operation: number });
    const elements = this.#elements.seal(number);
    const notes = this.#notes.seal(number);
    return { number, keys, elements, notes, bytes: this.#closeOpen() };
  }

  /** Drops the open operation. */
  discard(): void {
    this.#closeOpen();
  }

  /** The operation is committed or failed: it no longer lies above the committed rows. */
  settle(operation: SealedOperation): void {
    for (const key of operation.keys) {
      if (this.#flight.get(key)?.operation === operation.number) this.#flight.delete(key);
    }
    this.#elements.settle(operation.elements, operation.number);
    this.#notes.settle(operation.notes, operation.number);
    if (this.#clearedBy === operation.number) this.#clearedBy = 0;
  }

  /** Drops everything that is not committed. */
  reset(): void {
    this.discard();
    this.#flight.clear();
    this.#elements.reset();
    this.#notes.reset();
    this.#clearedBy = 0;
  }

  #takeBack(undo: [string, Row | null | undefined] | ElementUndo): void {
    if (!Array.isArray(undo)) return this.#elements.undo(undo);
    const [key, row] = undo;
    if (row === undefined) this.#open.delete(key);
    else this.#open.set(key, row);
  }

  #closeOpen(): Buffer {
    this.#open.clear();
    this.#elements.discardOpen();
    this.#notes.discard();
    this.#openCleared = false;
    this.#openNumber++;
    return this.#effects.take();
  }

  #find(key: string): Row | undefined {
    const open = this.#open.size > 0 ? this.#open.get(key) : undefined;
    if (open !== undefined || this.#openCleared) {
      this.dependsOn = this.#openNumber;
      return open ?? undefined;
    }
    const pending = this.#flight.size > 0 ? this.#flight.get(key) : undefined;
    if (pending !== undefined) {
      this.dependsOn = Math.max(this.dependsOn, pending.operation);
      return pending.row ?? undefined;
    }
    if (this.#clearedBy === 0) return this.#committed.get(key);
    this.dependsOn = Math.max(this.dependsOn, this.#clearedBy);
    return undefined;
  }

  #admit(bytes: number): void {
    if (this.#effects.length + bytes > maxOperationBytes) {
      this.full = true;
      throw new DbError('ERR', `one atomic request may write at most ${maxOperationBytes} bytes`);
    }
  }

  #set(key: string, row: Row | null): void {
    this.#undo.push([key, this.#open.get(key)]);
    this.#open.set(key, row);
    this.changed = true;
  }
}
