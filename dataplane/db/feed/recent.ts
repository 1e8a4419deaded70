import { Fifo } from '../../fabric/fifo.ts';
import type { CommittedEntry } from '../../replica/state-machine.ts';
import { keptEntry } from '../store/kept-entry.ts';

/** What a member keeps of the log in memory for those who watch, bytes. */
const maxBytes = 16 * 1024 * 1024;

const sizeOf = ({ operations }: CommittedEntry): number => operations.reduce((sum, { length }) => sum + length, 64);

/** The newest committed entries, in memory. */
export class RecentEntries {
  readonly #entries = new Fifo<CommittedEntry>();
  #bytes = 0;
  #before: number;
  #last: number;
  #waiting = new Set<() => void>();

  /** `position`: sequence of the last entry that was applied before. */
  constructor(position: number) {
    this.#before = this.#last = position;
  }

  /** Lowest sequence from which on every committed entry is here. */
  get oldest(): number {
    return this.#before + 1;
  }

  /** Sequence up to which the member has applied the log. */
  get last(): number {
    return this.#last;
  }

  /** Takes what was applied; `position`: the sequence that the store has reached. */
  add(entries: readonly CommittedEntry[], position: number): void {
    for (const entry of entries) {
      this.#entries.push(keptEntry(entry));
      this.#bytes += sizeOf(entry);
    }
    this.#last = position;
    while (this.#bytes > maxBytes && this.#entries.length > 0) this.#drop();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** The store was replaced: what lies between is not known here. */
  restart(position: number): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#before = this.#last = position;
  }

  /** Entries from a sequence on, which must not be below {@link oldest}. */
  *from(seq: number): Iterable<CommittedEntry> {
    yield* this.#entries.slice(this.#entries.lowerBound((entry) => entry.seq < seq));
  }

  /** Resolves when something was applied, or after a time. */
  changed(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, withinMs);
      this.#waiting.add(end);
    });
  }

  #drop(): void {
    const entry = this.#entries.shift();
    if (!entry) return;
    this.#before = entry.seq;
    this.#bytes -= sizeOf(entry);
  }
}
