import { setTimeout as sleep } from 'node:timers/promises';
import type { DbShardEntry } from '../../../contract/directory.ts';
import type { RangeReport } from '../../../contract/heartbeat.ts';
import { isEmptyRange } from '../../../contract/key-range.ts';
import type { Merge, Shard } from './database.ts';
import type { Observer } from './observer.ts';

/** What merges need of a database. */
export interface Host<S extends Shard> {
  readonly observer: Pick<Observer, 'report'>;
  readonly shards: S[];
  /** Of a shard that was made by a split: the one whose keys it took. */
  sourceOf(shard: S): string | null;
  /** Whether one of its members is being replaced. */
  isMoving(shard: S): boolean;
  /** Says something else of a shard in the directory. */
  tell(shard: S, change: Partial<DbShardEntry>): Promise<void>;
  /** Takes a shard away that has no keys any more. */
  remove(shard: S): Promise<void>;
}

const lookMs = 100;
/** All merges are over within this time once nothing goes wrong any more, milliseconds. */
const limitMs = 60_000;

/** Shards of a database that take over their upper neighbours. Plays the operator's part of it. */
export class Merges<S extends Shard> {
  readonly #host: Host<S>;
  /** Names of shards that are being merged. */
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #over = false;

  constructor(host: Host<S>) {
    this.#host = host;
  }

  /** Whether a shard is a part of a merge: it is not to be split then. */
  isBusy({ name }: Pick<Shard, 'name'>): boolean {
    return this.#busy.has(name);
  }

  /** Lets a shard and one that was made by a split become one; undefined: it is no such shard, or has no neighbour now. */
  async begin(shard: S): Promise<Merge | undefined> {
    const pair = this.#pairOf(shard);
    if (pair === undefined) return undefined;
    const { lower, upper } = pair;
    for (const { name } of [lower, upper]) this.#busy.add(name);
    const want = async (wanted: boolean): Promise<void> => {
      // One that is over is neither taken back nor wanted again.
      if (this.#isDone(lower, upper) || !this.isBusy(lower)) return;
      await this.#host.tell(lower, { mergeFrom: wanted ? { shard: upper.name } : null });
    };
    await want(true);
    const running = this.#finish(lower, upper).finally(() => {
      this.#running.delete(running);
      for (const { name } of [lower, upper]) this.#busy.delete(name);
    });
    this.#running.add(running);
    return { lower, upper, want };
  }

  /** Resolves when no merge is under way, or some do not end. */
  async settled(): Promise<void> {
    await Promise.race([Promise.all(this.#running), sleep(limitMs, undefined, { ref: false })]);
  }

  stop(): void {
    this.#over = true;
  }

  #pairOf(shard: S): { lower: S; upper: S } | undefined {
    const { shards } = this.#host;
    const own = this.#settledRange(shard);
    if (own === undefined || this.isBusy(shard)) return undefined;
    const isFree = (other: S): boolean => !this.isBusy(other) && this.#settledRange(other) !== undefined;
    const above = shards.find(
      (other) => isFree(other) && own.end !== '' && this.#settledRange(other)?.start === own.end,
    );
    const below = shards.find((other) => isFree(other) && this.#settledRange(other)?.end === own.start);
    // Clients know the members of the first shards: those stay.
    if (above && this.#host.sourceOf(above) !== null) return { lower: shard, upper: above };
    return below && own.start !== '' && this.#host.sourceOf(shard) !== null
      ? { lower: below, upper: shard }
      : undefined;
  }

  /** The range of a shard of which nothing is on its way, and no new shard waits for keys. */
  #settledRange(shard: S): RangeReport | undefined {
    const { shards } = this.#host;
    const isHalf = (other: S): boolean => this.#host.sourceOf(other) === shard.name && this.#isTaking(other);
    const range = this.#rangeOf(shard);
    if (range === undefined || range.handed !== undefined || this.#host.isMoving(shard)) return undefined;
    return this.#isTaking(shard) || shards.some(isHalf) ? undefined : range;
  }

  #isTaking(shard: S): boolean {
    const range = this.#rangeOf(shard);
    return range === undefined || range.epoch === 0 ? this.#host.sourceOf(shard) !== null : range.intake !== undefined;
  }

  /** The newest that its members told. */
  #rangeOf({ members }: S): RangeReport | undefined {
    const told = members.flatMap(({ name }) => this.#host.observer.report(name) ?? []);
    const [newest] = told
      .filter(({ range }) => range !== undefined)
      .toSorted((a, b) => (b.range?.epoch ?? 0) - (a.range?.epoch ?? 0) || b.applied - a.applied);
    return newest?.range;
  }

  async #finish(lower: S, upper: S): Promise<void> {
    while (!this.#over && !this.#isDone(lower, upper)) await sleep(lookMs);
    if (this.#over) return;
    const { start = '', end = '', epoch = 0 } = this.#rangeOf(lower) ?? {};
    await this.#host.tell(lower, { start, end, epoch, serves: true, mergeFrom: null });
    await this.#host.remove(upper);
  }

  #isDone(lower: S, upper: S): boolean {
    const [taker, source] = [this.#rangeOf(lower), this.#rangeOf(upper)];
    if (!taker || !source || taker.intake !== undefined || source.handed !== undefined) return false;
    return isEmptyRange(source) && source.transactions === 0;
  }
}
