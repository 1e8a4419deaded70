import type { CommittedEntry } from '../../replica/state-machine.ts';
import { applyEffects } from './effects.ts';
import type { FileReader, StoreFile } from './file.ts';
import { keptEntry } from './kept-entry.ts';
import { Layer, layerTarget } from './layer.ts';
import { Layered } from './layered.ts';
import type { ReadState } from './reading.ts';
import { StoreError } from './store-error.ts';

/** A state of the file is pinned about so often, milliseconds of log time. */
const pinEveryMs = 1_000;
/** Older states can be read for so long, milliseconds of log time. */
const windowMs = 5_000;
/** … or until so much was written since, bytes: pages of pinned states cannot be used again. */
const windowBytes = 8 * 1024 * 1024;

interface Pin {
  readonly reader: FileReader;
  readonly seq: number;
  readonly time: number;
}

interface Kept {
  readonly entry: CommittedEntry;
  /** Of what it wrote. */
  readonly version: number;
  readonly bytes: number;
}

/** The state of a shard at a sequence of its log. To be used within the turn in which it was asked for. */
export interface SnapshotView extends ReadState {
  readonly seq: number;
  /** Log time there, milliseconds. */
  readonly time: number;
}

const bytesOf = ({ operations }: CommittedEntry): number => operations.reduce((sum, { length }) => sum + length, 0);

/**
 * States of the near past. LMDB keeps old versions of pages as long as a read transaction looks at them: one is pinned
 * about once a second. A state between two of them is the older one and the operations since, applied to a layer.
 * Writes pay nothing for it but the memory of their operations. The window is one of log time and of bytes written.
 */
export class History {
  #pins: Pin[] = [];
  /** Entries after the oldest pin. */
  #entries: Kept[] = [];
  #bytes = 0;
  #last: { readonly seq: number; readonly view: SnapshotView } | null = null;

  /** Notes an entry that was applied, and the version of what it wrote. */
  add(entry: CommittedEntry, version: number): void {
    if (entry.operations.length === 0) return;
    const bytes = bytesOf(entry);
    this.#entries.push({ entry: keptEntry(entry), version, bytes });
    this.#bytes += bytes;
  }

  /** Notes that the file has a new state. */
  pin(file: StoreFile): void {
    const newest = this.#pins.at(-1);
    const position = file.position;
    if (position === null || (newest !== undefined && position.time - newest.time < pinEveryMs)) return;
    const reader = file.reader();
    this.#pins.push({ reader, seq: position.seq, time: position.time });
    this.#prune(position.time);
  }

  /** Lowest sequence whose state is kept; null when none is. */
  get oldest(): number | null {
    return this.#pins[0]?.seq ?? null;
  }

  /** The state at a sequence that is applied. @throws StoreError too-old */
  at(seq: number): SnapshotView {
    const pin = this.#pins.findLast((each) => each.seq <= seq);
    if (!pin) {
      throw new StoreError(
        'too-old',
        `the state at sequence ${seq} is not kept any more; the oldest is ${this.oldest ?? 'yet to come'}`,
      );
    }
    if (this.#last?.seq !== seq) this.#last = { seq, view: this.#view(pin, seq) };
    return this.#last.view;
  }

  /** Forgets everything. To be called before the file is closed. */
  clear(): void {
    for (const { reader } of this.#pins) reader.close();
    this.#pins = [];
    this.#entries = [];
    this.#bytes = 0;
    this.#last = null;
  }

  #view(pin: Pin, seq: number): SnapshotView {
    const layer = new Layer();
    const state = new Layered(
      () => [layer],
      () => pin.reader.state,
    );
    const below = { get: (key: string) => state.get(key), notes: new Map<string, Buffer>() };
    let time = pin.time;
    for (const { entry, version } of this.#entries) {
      if (entry.seq <= pin.seq) continue;
      if (entry.seq > seq) break;
      time = entry.time;
      const target = layerTarget(layer, version, below);
      for (const operation of entry.operations) applyEffects(operation, target);
    }
    return Object.assign(state, { seq, time });
  }

  /** Drops pins that the window no longer needs, and the entries before the oldest that stays. */
  #prune(now: number): void {
    let drop = 0;
    while (drop < this.#pins.length - 1 && this.#outside(drop, now)) drop++;
    for (const { reader } of this.#pins.splice(0, drop)) reader.close();
    const oldest = this.#pins[0]?.seq ?? 0;
    const firstKept = this.#entries.findIndex(({ entry }) => entry.seq > oldest);
    const dropped = this.#entries.splice(0, firstKept < 0 ? this.#entries.length : firstKept);
    for (const { bytes } of dropped) this.#bytes -= bytes;
    this.#last = null;
  }

  /** Whether the window begins at or after the pin that follows this one. */
  #outside(i: number, now: number): boolean {
    const next = this.#pins[i + 1];
    if (next === undefined) return false;
    if (next.time <= now - windowMs) return true;
    let since = 0;
    for (const { entry, bytes } of this.#entries) if (entry.seq > next.seq) since += bytes;
    return since > windowBytes || this.#bytes - since > windowBytes;
  }
}
