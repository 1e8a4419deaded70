import type { RangeReport } from '../../../contract/heartbeat.ts';
import { decodeRange, rangeNote, textOfKey } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import { decodeHanded, handedNote } from './hand-over.ts';
import { decodeIntake, intakeNote } from './intake-note.ts';

/** What the directory wants of a new shard: `shard` is the one that is split, `at` the first key as text. */
export interface SplitFrom {
  readonly shard: string;
  readonly at: string | null;
}

/** Reported as both bounds of a range whose border is not known yet: it holds no key. */
const nowhere = '\u0000';
const maxProblem = 500;

/** A shard that has keys of another one to take over, and has not begun. */
const waiting = ({ shard: from, at }: SplitFrom, problem: string | undefined): RangeReport => {
  const border = at === null || at === '' ? nowhere : at;
  const intake = { from, phase: 'waiting', ...(problem !== undefined && { problem }) } as const;
  return { start: border, end: border, epoch: 0, intake };
};

/** What a heartbeat tells of the range, from the notes of a store. Undefined: nothing is known yet. Pure. */
export const rangeReport = (
  notes: ReadonlyMap<string, Buffer>,
  splitFrom: SplitFrom | null,
  problem: string | undefined,
): RangeReport | undefined => {
  const [rangeBytes, handedBytes, intakeBytes] = [notes.get(rangeNote), notes.get(handedNote), notes.get(intakeNote)];
  if (!rangeBytes) return splitFrom === null ? undefined : waiting(splitFrom, problem);
  const { start, end, epoch } = decodeRange(rangeBytes);
  const handed = handedBytes && decodeHanded(handedBytes);
  const intake = intakeBytes && decodeIntake(intakeBytes);
  return {
    start: textOfKey(start),
    end: textOfKey(end),
    epoch,
    ...(intake && {
      intake: { from: intake.from, phase: intake.phase, ...(problem !== undefined && { problem }) },
    }),
    ...(handed && {
      handed: { to: handed.to, start: textOfKey(handed.range.start), end: textOfKey(handed.range.end) },
    }),
  };
};

/** Keeps what the heartbeat tells of the range, and says when it has changed. */
export class RangeReporter {
  readonly #store: Pick<Store, 'notes'>;
  readonly #changed: () => void;
  /** Notes that the report was made from. */
  #seen: readonly (Buffer | undefined)[] = [];
  #splitFrom: SplitFrom | null = null;
  #problem: string | undefined;
  #report: RangeReport | undefined;
  #told = '';

  constructor(store: Pick<Store, 'notes'>, changed: () => void) {
    this.#store = store;
    this.#changed = changed;
    this.#make();
  }

  get report(): RangeReport | undefined {
    return this.#report;
  }

  /** What the directory wants of this shard, and what is in the way of it. */
  tell(splitFrom: SplitFrom | null, problem: string | undefined): void {
    const short = problem?.slice(0, maxProblem);
    if (
      splitFrom?.shard === this.#splitFrom?.shard &&
      splitFrom?.at === this.#splitFrom?.at &&
      short === this.#problem
    ) {
      return;
    }
    this.#splitFrom = splitFrom;
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
    this.#report = rangeReport(notes, this.#splitFrom, this.#problem);
    const now = JSON.stringify(this.#report) ?? '';
    if (now === this.#told) return;
    this.#told = now;
    this.#changed();
  }
}
