import type { OpenTransaction } from '../manifest.ts';
import type { TransactionEvent } from './transaction-event.ts';

/** What is known of one shard before its log is read; see `manifest.ts`. */
export interface Bounds {
  /** Of its snapshot. */
  readonly position: number;
  readonly settled: number;
  readonly floor: number;
  readonly ceiling: number;
  /** In its snapshot. */
  readonly open: readonly OpenTransaction[];
}

/** By shard, the last entry of its log that belongs to the cut. */
export type Cut = ReadonlyMap<string, number>;

/** What the logs say about one transaction: sequences by shard. */
interface Known {
  readonly anchor: string;
  readonly participants: readonly string[];
  /** The first time: a request that came late may prepare it once more, which ends in nothing. */
  readonly prepared: Map<string, number>;
  readonly over: Map<string, number>;
  /** In the anchor's log. */
  committed: number | null;
}

/** Of the oldest transactions, when there are too many. */
const looksAtOnce = 4;

interface Place {
  readonly shard: string;
  readonly seq: number;
}

/** If the effect is in a cut, so must be the cause. */
interface Dependency {
  readonly effect: Place;
  readonly cause: Place;
}

/**
 * The decision came after all parts were prepared; each part was carried out after the decision; the decision was forgotten
 * after all parts were carried out. So with a cut that is closed under these, the anchor's notes say whether a part that
 * is prepared there belongs to it. A transaction that was given up has no decision anywhere, and depends on nothing.
 */
function* dependencies({ anchor, participants, prepared, over, committed }: Known): Generator<Dependency> {
  if (committed === null) return;
  const decision = { shard: anchor, seq: committed };
  const forgotten = over.get(anchor);
  for (const shard of participants) {
    if (shard === anchor) continue;
    const [begun, done] = [prepared.get(shard), over.get(shard)];
    if (begun !== undefined) yield { effect: decision, cause: { shard, seq: begun } };
    if (done === undefined) continue;
    yield { effect: { shard, seq: done }, cause: decision };
    if (forgotten !== undefined) yield { effect: { shard: anchor, seq: forgotten }, cause: { shard, seq: done } };
  }
}

/** Transactions over several shards as their logs tell of them, the newest ones. */
export class TransactionHistory {
  readonly #shards: ReadonlyMap<string, Bounds>;
  readonly #remembered: number;
  readonly #known = new Map<string, Known>();
  /** A cut must not lie before these: what is forgotten would be cut through. */
  readonly #floors: Map<string, number>;

  constructor(shards: ReadonlyMap<string, Bounds>, remembered: number) {
    this.#shards = shards;
    this.#remembered = remembered;
    this.#floors = new Map([...shards].map(([shard, { floor }]) => [shard, floor]));
    for (const [shard, { position, open }] of shards) for (const event of open) this.add(shard, position, event);
  }

  add(shard: string, seq: number, event: TransactionEvent): void {
    let known = this.#known.get(event.id);
    if (event.state === 'over') {
      if (known && !known.over.has(shard)) known.over.set(shard, seq);
      return;
    }
    if (!known) {
      const { anchor, participants } = event;
      known = { anchor, participants, prepared: new Map(), over: new Map(), committed: null };
      this.#known.set(event.id, known);
    }
    if (event.state === 'committed') known.committed ??= seq;
    else if (!known.prepared.has(shard)) known.prepared.set(shard, seq);
  }

  /** Forgets the oldest when there are too many; those that are under way, or that a cut goes through, stay. */
  shorten(cut: Cut): void {
    for (let looks = Math.min(looksAtOnce, this.#known.size - this.#remembered); looks > 0; looks--) {
      const [oldest] = this.#known;
      if (!oldest) return;
      const [id, known] = oldest;
      this.#known.delete(id);
      if (this.#isOpen(known) || this.#isCut(known, cut)) this.#known.set(id, known);
      else this.#keepWhole(known, cut);
    }
  }

  /** Transactions of which something in a cut may have a cause that is not known yet. */
  unsure(cut: Cut): Set<string> {
    return new Set([...this.#known.keys()].filter((id) => this.isUnsure(id, cut)));
  }

  isUnsure(id: string, cut: Cut): boolean {
    const known = this.#known.get(id);
    if (!known) return false;
    const { anchor, participants, committed } = known;
    const others = participants.filter((shard) => shard !== anchor);
    if (committed === null) return this.#lacksDecision(known, others, cut);
    if (committed > seqOf(cut, anchor)) return false;
    return others.some((shard) => this.#lacksPart(known, shard, cut));
  }

  /** Moves a cut back until it is closed. Null: it cannot be. */
  pullBack(from: Cut): Cut | null {
    const cut = new Map(from);
    const within = ({ shard, seq }: Place): boolean => seq <= (cut.get(shard) ?? Infinity);
    const step = (): boolean => {
      let moved = false;
      for (const { effect, cause } of this.#dependencies()) {
        if (!within(effect) || within(cause)) continue;
        cut.set(effect.shard, effect.seq - 1);
        moved = true;
      }
      return moved;
    };
    while (step());
    return [...cut].every(([shard, seq]) => seq >= seqOf(this.#floors, shard)) ? cut : null;
  }

  *#dependencies(): Generator<Dependency> {
    for (const known of this.#known.values()) yield* dependencies(known);
  }

  /** A part ended in the cut, and nothing is known of how it ended for the anchor. */
  #lacksDecision({ anchor, over }: Known, others: readonly string[], cut: Cut): boolean {
    if (over.has(anchor)) return false;
    return others.some((shard) => {
      const done = over.get(shard);
      // What happened until the snapshots had begun was caused below the floors, where all is known.
      return done !== undefined && done <= seqOf(cut, shard) && done > (this.#shards.get(shard)?.settled ?? 0);
    });
  }

  /** The decision is in the cut, or even that it was forgotten, and a part that came before is not known. */
  #lacksPart({ anchor, prepared, over, committed }: Known, shard: string, cut: Cut): boolean {
    if (!prepared.has(shard)) return (committed ?? 0) > (this.#shards.get(anchor)?.settled ?? 0);
    return !over.has(shard) && (over.get(anchor) ?? Infinity) <= seqOf(cut, anchor);
  }

  /** More may be to come: in the order of time what happened later may be told earlier. */
  #isOpen({ over, anchor, participants, committed }: Known): boolean {
    if (!over.has(anchor)) return true;
    return committed !== null && participants.some((shard) => !over.has(shard));
  }

  #isCut(known: Known, cut: Cut): boolean {
    return placesOf(known).some(({ shard, seq }) => seq > seqOf(cut, shard));
  }

  #keepWhole(known: Known, cut: Cut): void {
    for (const { shard, seq } of placesOf(known)) {
      if (seq <= seqOf(cut, shard)) this.#floors.set(shard, Math.max(seq, seqOf(this.#floors, shard)));
    }
  }
}

const seqOf = (cut: ReadonlyMap<string, number>, shard: string): number => cut.get(shard) ?? 0;

const placesOf = ({ anchor, prepared, over, committed }: Known): Place[] => [
  ...[...prepared, ...over].map(([shard, seq]) => ({ shard, seq })),
  ...(committed === null ? [] : [{ shard: anchor, seq: committed }]),
];
