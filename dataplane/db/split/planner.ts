import { isEmptyRange } from '../../../contract/key-range.ts';
import { DbError } from '../db-error.ts';
import type { Replica } from '../../replica/replica.ts';
import { maxEpoch, type KeyRange } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import { middleKey } from './border.ts';
import { decodeHanded, handedNote, isInside } from './hand-over.ts';
import { decodeIntake, intakeNote } from './intake-note.ts';
import type { MergePlan } from './merge-begin.ts';
import type { Plan } from './protocol.ts';

/** A middle that was found is good enough for so long, milliseconds. */
const rememberedMs = 60_000;

export interface PlannerOptions {
  readonly replica: Pick<Replica, 'leading' | 'readBarrier'>;
  readonly store: Pick<Store, 'notes' | 'keyRange' | 'flush' | 'file' | 'own'>;
}

/** The part of a primary that says where its shard can be split now, and whether it can be merged. It changes nothing. */
export class Planner {
  readonly #options: PlannerOptions;
  /** One look for the middle at a time: all who ask meanwhile, or again soon, get what it finds. */
  #look: { readonly epoch: number; readonly found: Promise<string | null> } | null = null;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /**
   * @param at first key of the new shard; null: one near the middle is chosen
   * @throws DbError TRYAGAIN not now; ERR not there
   */
  async plan(at: string | null): Promise<Plan> {
    const { replica } = this.#options;
    if (!replica.leading) throw new DbError('TRYAGAIN', 'this member does not lead');
    await replica.readBarrier();
    const { epoch } = this.#range();
    const border = at ?? (await this.#middle(epoch));
    // Keys may have changed hands while it was looked for.
    const range = this.#range();
    if (range.epoch !== epoch) throw new DbError('TRYAGAIN', 'the range has just changed');
    if (!isInside(range, border)) {
      throw new DbError(
        'ERR',
        'the key at which to split has to lie inside of the range of the shard, not at its start: delete the new shard and choose another key',
      );
    }
    return { at: border, epoch: range.epoch + 1 };
  }

  /**
   * All keys, for the lower neighbour.
   * @throws DbError TRYAGAIN not now; ERR never
   */
  async planMerge(): Promise<MergePlan> {
    const { replica } = this.#options;
    if (!replica.leading) throw new DbError('TRYAGAIN', 'this member does not lead');
    await replica.readBarrier();
    const range = this.#range();
    if (isEmptyRange(range)) throw new DbError('ERR', 'the shard has no keys any more');
    if (range.start === '') throw new DbError('ERR', 'the shard has the lowest keys: it has no lower neighbour');
    return { at: range.start, epoch: range.epoch };
  }

  /** The range, if keys could change hands. */
  #range(): KeyRange {
    const { notes, keyRange } = this.#options.store;
    if (keyRange === null) throw new DbError('TRYAGAIN', 'the shard does not know its range yet');
    const [handed, intake] = [notes.get(handedNote), notes.get(intakeNote)];
    if (handed) throw new DbError('TRYAGAIN', `the keys of the shard are on their way to ${decodeHanded(handed).to}`);
    if (intake) throw new DbError('TRYAGAIN', `the shard still takes over keys from ${decodeIntake(intake).from}`);
    if (keyRange.epoch >= maxEpoch) throw new DbError('ERR', 'the keys have changed hands too often');
    return keyRange;
  }

  async #middle(epoch: number): Promise<string> {
    if (this.#look?.epoch !== epoch) this.#look = this.#newLook(epoch);
    const middle = await this.#look.found;
    if (middle !== null) return middle;
    throw new DbError(
      'ERR',
      'no key of the shard could be the border of two halves (two keys at least, the upper one text of at most 256 characters): name the key at which to split',
    );
  }

  #newLook(epoch: number): { epoch: number; found: Promise<string | null> } {
    const look = { epoch, found: middleKey(this.#options.store) };
    const forget = (): void => {
      if (this.#look === look) this.#look = null;
    };
    const keep = (middle: string | null): void => {
      if (middle === null) forget();
      else setTimeout(forget, rememberedMs).unref();
    };
    void look.found.then(keep, forget);
    return look;
  }
}
