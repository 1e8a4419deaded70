import { isEmptyRange } from '../../../contract/key-range.ts';
import type { RangeReport } from '../../../contract/heartbeat.ts';
import { decodeRange, rangeNote, textOfKey, type KeyRange } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import { decodeHanded, handedNote } from './hand-over.ts';
import { transactionOf } from '../two-phase/note.ts';
import { decodeIntake, intakeNote } from './intake-note.ts';

/** What the directory wants of a new shard: `shard` is the one that is split, `at` the first key as text. */
export interface SplitFrom {
  readonly shard: string;
  readonly at: string | null;
}

/** What the directory wants of a shard. */
export interface Wanted {
  readonly splitFrom: SplitFrom | null;
  /** The shard whose keys it is to take over beside its own. */
  readonly mergeFrom: string | null;
}

export const nothingWanted: Wanted = { splitFrom: null, mergeFrom: null };

/** Reported as both bounds of a range whose border is not known yet: it holds no key. */
const nowhere = '\u0000';
const maxProblem = 500;

/** A shard that has keys of another one to take over, and has not begun. */
const waiting = ({ shard: from, at }: SplitFrom, problem: string | undefined): RangeReport => {
  const border = at === null || at === '' ? nowhere : at;
  const intake = { from, phase: 'waiting', ...(problem !== undefined && { problem }) } as const;
  return { start: border, end: border, epoch: 0, intake };
};

/** How far a shard with a range is with taking keys over. */
const intakeOf = (bytes: Buffer | undefined, mergeFrom: string | null): RangeReport['intake'] => {
  if (!bytes) return mergeFrom === null ? undefined : { from: mergeFrom, phase: 'waiting', merge: true };
  const { from, phase, merge } = decodeIntake(bytes);
  return { from, phase, ...(merge && { merge: true }) };
};

/** What a heartbeat tells of the range, from the notes of a store. Undefined: nothing is known yet. Pure. */
export const rangeReport = (
  notes: ReadonlyMap<string, Buffer>,
  { splitFrom, mergeFrom }: Wanted,
  problem: string | undefined,
): RangeReport | undefined => {
  const [rangeBytes, handedBytes, intakeBytes] = [notes.get(rangeNote), notes.get(handedNote), notes.get(intakeNote)];
  if (!rangeBytes) return splitFrom === null ? undefined : waiting(splitFrom, problem);
  const { start, end, epoch } = decodeRange(rangeBytes);
  const handed = handedBytes && decodeHanded(handedBytes);
  const intake = intakeOf(intakeBytes, mergeFrom);
  return {
    start: textOfKey(start),
    end: textOfKey(end),
    epoch,
    ...(intake && { intake: { ...intake, ...(problem !== undefined && { problem }) } }),
    ...(handed && {
      handed: { to: handed.to, start: textOfKey(handed.range.start), end: textOfKey(handed.range.end) },
    }),
  };
};

/** Whether a shard serves no keys, and takes none over. */
const isIdle = (range: KeyRange, notes: ReadonlyMap<string, Buffer>): boolean =>
  isEmptyRange(range) && !notes.has(intakeNote);

/** Transactions over several shards that the notes of a shard are about. */
const transactionsOf = (notes: ReadonlyMap<string, Buffer>): number => {
  let count = 0;
  for (const name of notes.keys()) if (transactionOf(name) !== null) count++;
  return count;
};

/** Keeps what the heartbeat tells of the range, and says when it has changed. */
export class RangeReporter {
  readonly #store: Pick<Store, 'notes'>;
  readonly #changed: () => void;
  /** Notes that the report was made from. */
  #seen: readonly (Buffer | undefined)[] = [];
  #wanted = nothingWanted;
  #problem: string | undefined;
  #report: RangeReport | undefined;
  #told = '';

  constructor(store: Pick<Store, 'notes'>, changed: () => void) {
    this.#store = store;
    this.#changed = changed;
    this.#make();
  }

  /** Transactions are told of a shard that has no keys any more, once for each heartbeat: they may be many, and pass. */
  get report(): RangeReport | undefined {
    const { notes } = this.#store;
    const range = notes.get(rangeNote);
    if (!this.#report || !range || !isIdle(decodeRange(range), notes)) return this.#report;
    return { ...this.#report, transactions: transactionsOf(notes) };
  }

  /** What the directory wants of this shard, and what is in the way of it. */
  tell(wanted: Wanted, problem: string | undefined): void {
    const short = problem?.slice(0, maxProblem);
    if (isSame(wanted, this.#wanted) && short === this.#problem) return;
    this.#wanted = wanted;
    this.#problem = short;
    this.#make();
  }

  /** To be called when notes may have changed. Cheap when they have not. */
  look(): void {
    const { notes } = this.#store;
    const [range, handed, intake] = this.#seen;
    const same = notes.get(rangeNote) === range && notes.get(handedNote) === handed && notes.get(intakeNote) === intake;
    if (!same) this.#make();
  }

  #make(): void {
    const { notes } = this.#store;
    this.#seen = [notes.get(rangeNote), notes.get(handedNote), notes.get(intakeNote)];
    this.#report = rangeReport(notes, this.#wanted, this.#problem);
    const now = JSON.stringify(this.#report) ?? '';
    if (now === this.#told) return;
    this.#told = now;
    this.#changed();
  }
}

const isSame = (a: Wanted, b: Wanted): boolean =>
  a.splitFrom?.shard === b.splitFrom?.shard && a.splitFrom?.at === b.splitFrom?.at && a.mergeFrom === b.mergeFrom;
