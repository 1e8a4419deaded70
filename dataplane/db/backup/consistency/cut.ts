import type { Place } from './merge.ts';
import { transactionEvents } from './transaction-event.ts';
import { TransactionHistory, type Bounds, type Cut } from './transaction-history.ts';

export type { Cut } from './transaction-history.ts';

export interface CutOptions {
  readonly shards: ReadonlyMap<string, Bounds>;
  /** The logs, behind the snapshots, in the order of time. */
  readonly places: AsyncIterable<Place>;
  /** Nothing that is later belongs to the cut, milliseconds. Infinity: the ceilings alone count. */
  readonly at: number;
  /** Transactions that are remembered, about. Left out: 50,000. */
  readonly remembered?: number;
}

const defaultRemembered = 50_000;

/**
 * The latest common cut at or before a moment and the ceilings: whoever has an effect of a transaction over several
 * shards also has what caused it, so that none is half there (see `transaction-history.ts`). Logs are cut at the same moment of their
 * clocks, which differ by milliseconds, so a few entries may have to go; none is ever added.
 *
 * Null: the cut would lie before a floor, or further back than transactions are remembered.
 */
export const findCut = (options: CutOptions): Promise<Cut | null> => new Search(options).run();

class Search {
  readonly #options: CutOptions;
  readonly #history: TransactionHistory;
  readonly #cut: Map<string, number>;
  /** Behind the moment: transactions of which a cause of what lies before it may still come. */
  #unsure: Set<string> | null = null;

  constructor(options: CutOptions) {
    this.#options = options;
    this.#history = new TransactionHistory(options.shards, options.remembered ?? defaultRemembered);
    this.#cut = new Map([...options.shards].map(([shard, { position }]) => [shard, position]));
  }

  async run(): Promise<Cut | null> {
    for await (const place of this.#options.places) {
      this.#reach(place);
      if (this.#unsure?.size === 0) break;
      this.#learn(place);
    }
    return this.#history.pullBack(this.#cut);
  }

  #reach({ shard, position: { seq, time } }: Place): void {
    const { shards, at } = this.#options;
    // In the order of time all that lies before the moment is known by now.
    if (time > at) this.#unsure ??= this.#history.unsure(this.#cut);
    else if (seq <= (shards.get(shard)?.ceiling ?? 0)) this.#cut.set(shard, seq);
  }

  #learn({ shard, position, entry }: Place): void {
    if (entry === null) return;
    for (const event of transactionEvents(entry)) {
      this.#history.add(shard, position.seq, event);
      if (this.#unsure?.has(event.id) && !this.#history.isUnsure(event.id, this.#cut)) this.#unsure.delete(event.id);
    }
    this.#history.shorten(this.#cut);
  }
}
