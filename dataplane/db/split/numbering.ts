import { maxKeyBytes } from '../limits.ts';
import type { EffectWriter } from '../store/effects.ts';
import { encodeHead } from '../store/head.ts';
import { generationOf, valueType } from '../store/row.ts';
import type { Store } from '../store/store.ts';

/** Key of the record that the numbers hang on: behind the first key that is taken over, and longer than those of clients. */
const recordKey = (at: string): string => at.padEnd(maxKeyBytes + 1, '\xff');

const valueOf = (generation: number): Buffer => {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(generation);
  return bytes;
};

const nameOf = (generation: number): string => valueOf(generation).toString('latin1');

export interface NumberingOptions {
  readonly writer: EffectWriter;
  readonly store: Pick<Store, 'get' | 'element'>;
  /** First key that is taken over. */
  readonly at: string;
  /** A number that no collection of this shard has or had. */
  readonly next: () => number;
}

/**
 * Which collection of the source is which one here. Both shards number their collections by themselves, so each that is
 * copied gets a number of this shard. That is noted in the log as the elements of a record among the keys that are
 * taken over, where clients do not see it: a primary that follows goes on with the same numbers.
 */
export class Numbering {
  readonly #options: NumberingOptions;
  readonly #key: string;
  /** Under which the numbers lie; 0: that is not known yet. */
  #own = 0;
  /** Numbers that are in no store yet. */
  readonly #fresh = new Map<number, number>();

  constructor(options: NumberingOptions) {
    this.#options = options;
    this.#key = recordKey(options.at);
  }

  /** Begins anew, when nothing is left of an earlier one. */
  begin(): void {
    const { writer, next } = this.#options;
    this.#own = next();
    this.#fresh.clear();
    writer.put(this.#key, encodeHead({ generation: this.#own, count: 0, first: 0 }), 0, valueType.hash);
  }

  /** Whether a key is that of the record, which the source may have had, too, for a merge of its own. */
  isRecord(key: string): boolean {
    return key === this.#key;
  }

  /** The number here of a collection of the source, if it has one. */
  find(generation: number): number | undefined {
    const fresh = this.#fresh.get(generation);
    if (fresh !== undefined) return fresh;
    if (this.#own === 0) this.#own = generationOf(this.#options.store.get(this.#key));
    return this.#options.store.element(this.#own, nameOf(generation))?.readDoubleBE(0);
  }

  /** As {@link find}; gives it one if it has none. */
  number(generation: number): number {
    const known = this.find(generation);
    if (known !== undefined) return known;
    const { writer, next } = this.#options;
    const number = next();
    this.#fresh.set(generation, number);
    writer.element(this.#own, nameOf(generation), valueOf(number));
    // Nothing is there to be removed, but the store learns that the number is taken, also if its row comes later.
    writer.element(number, '', null);
    return number;
  }

  /** What was written is in the store. */
  written(): void {
    this.#fresh.clear();
  }

  end(): void {
    this.#options.writer.remove(this.#key);
  }
}
