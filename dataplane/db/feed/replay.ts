import { decodeEntry } from '../../log/entry.ts';
import type { ReplicatedLog } from '../../log/replicated-log.ts';
import { emptyHistory, extend, type History } from '../../replica/history.ts';
import type { CommittedEntry } from '../../replica/state-machine.ts';

/** Read from the log at once. */
const page = { entries: 512, bytes: 4 * 1024 * 1024 } as const;
/** Places in the log that are remembered, so that who goes on from there need not start from its beginning. */
const maxPlaces = 64;

/**
 * Committed entries from the log itself, for whoever resumes further back than a member remembers. Which entries count
 * is known only by judging all before them (`replica/history.ts`), so it works as long as the log still has its beginning.
 */
export class Replay {
  readonly #log: Pick<ReplicatedLog, 'extent' | 'read'>;
  readonly #places = new Map<number, History>();

  constructor(log: Pick<ReplicatedLog, 'extent' | 'read'>) {
    this.#log = log;
  }

  /** Whether the log still has its beginning. */
  async possible(): Promise<boolean> {
    return (await this.#log.extent()).first === 1;
  }

  /**
   * Committed entries at and after a sequence, and the sequence to go on with. Reads a page beyond `from`, or up to the
   * deadline (monotonic, milliseconds), whichever is first.
   */
  async read(from: number, deadline: number): Promise<{ entries: CommittedEntry[]; next: number }> {
    let history = this.#placeBefore(from);
    const entries: CommittedEntry[] = [];
    do {
      const stored = await this.#log.read(history.seq + 1, page);
      if (stored.length === 0) break;
      for (const { bytes } of stored) {
        const before = history;
        const judged = extend(before, decodeEntry(bytes));
        history = judged.history;
        const { verdict } = judged;
        if (history.seq < from || verdict.kind !== 'data') continue;
        const { term, operations } = verdict.entry;
        entries.push({ seq: history.seq, term, operations, time: history.time });
      }
      this.#remember(history);
    } while (history.seq < from && performance.now() < deadline);
    return { entries, next: Math.max(from, history.seq + 1) };
  }

  #placeBefore(from: number): History {
    let best = emptyHistory;
    for (const history of this.#places.values()) if (history.seq < from && history.seq > best.seq) best = history;
    return best;
  }

  #remember(history: History): void {
    this.#places.delete(history.seq);
    this.#places.set(history.seq, history);
    const [oldest] = this.#places.keys();
    if (this.#places.size > maxPlaces && oldest !== undefined) this.#places.delete(oldest);
  }
}
