import type { CommittedEntry } from '../../replica/state-machine.ts';
import { applyEffects, ignoring, type EffectTarget, type EffectWriter } from '../store/effects.ts';
import { generationOf } from '../store/row.ts';
import type { SnapshotRecord } from '../store/snapshot-codec.ts';
import type { Store } from '../store/store.ts';
import type { Copier } from './copied.ts';
import { Numbering } from './numbering.ts';
import { strays } from './sweep.ts';

type Operation = CommittedEntry['operations'][number];

/** Keys that one operation removes. */
const removedAtOnce = 500;

export interface MergeCopierOptions {
  readonly writer: EffectWriter;
  readonly store: Pick<Store, 'rows' | 'get' | 'element' | 'keyRange'>;
  /** First key that is taken over: what the source has below is not its own, and may be ours. */
  readonly at: string;
  /** See `NumberingOptions`. */
  readonly next: () => number;
}

/** A head of a collection with another number. */
const renumbered = (head: Buffer, generation: number): Buffer => {
  const bytes = Buffer.from(head);
  bytes.writeDoubleBE(generation, 0);
  return bytes;
};

/** Copies all keys of the upper neighbour into a shard that serves keys of its own meanwhile. */
export class MergeCopier implements Copier {
  readonly #options: MergeCopierOptions;
  readonly #numbering: Numbering;
  readonly #target: EffectTarget;
  /** Whether the row that the elements of a snapshot follow is copied. */
  #wanted = false;

  constructor(options: MergeCopierOptions) {
    const { writer } = options;
    this.#options = options;
    this.#numbering = new Numbering(options);
    this.#target = {
      ...ignoring,
      put: (key, value, expireAt, type) => this.#put(key, { value, expireAt, type }),
      remove: (key) => {
        if (this.#isWanted(key)) writer.remove(key);
      },
      expire: (key, expireAt) => {
        if (this.#isWanted(key)) writer.expire(key, expireAt);
      },
      element: (generation, name, value) => writer.element(this.#numbering.number(generation), name, value),
    };
  }

  async prepare(propose: () => Promise<void>): Promise<void> {
    const { writer, store } = this.#options;
    for (let removed = removedAtOnce; removed === removedAtOnce;) {
      removed = 0;
      for (const key of strays(store)) {
        writer.remove(key);
        if (++removed === removedAtOnce) break;
      }
      if (removed > 0) await propose();
    }
    this.#numbering.begin();
    await propose();
  }

  record(record: SnapshotRecord): void {
    if (record.kind === 'row') {
      this.#wanted = this.#isWanted(record.key);
      this.#put(record.key, record.row);
    } else if (record.kind === 'element' && this.#wanted) {
      this.#options.writer.element(this.#numbering.number(record.generation), record.name, record.value);
    }
  }

  /** Numbers come before, so that the operation itself does not grow. */
  announce(operation: Operation): boolean {
    let cleared = false;
    applyEffects(operation, {
      ...ignoring,
      put: (key, value, expireAt, type) => {
        const generation = generationOf({ value, expireAt, type, version: 0 });
        if (generation !== 0 && this.#isWanted(key)) this.#numbering.number(generation);
      },
      element: (generation) => void this.#numbering.number(generation),
      clear: () => {
        cleared = true;
      },
    });
    return !cleared;
  }

  operation(operation: Operation): void {
    applyEffects(operation, this.#target);
  }

  written(): void {
    this.#numbering.written();
  }

  open(): void {
    this.#numbering.end();
  }

  #isWanted(key: string): boolean {
    return key >= this.#options.at && !this.#numbering.isRecord(key);
  }

  #put(key: string, row: { readonly value: Buffer; readonly expireAt: number; readonly type: number }): void {
    if (!this.#isWanted(key)) return;
    const generation = generationOf({ ...row, version: 0 });
    const value = generation === 0 ? row.value : renumbered(row.value, this.#numbering.number(generation));
    this.#options.writer.put(key, value, row.expireAt, row.type);
  }
}
