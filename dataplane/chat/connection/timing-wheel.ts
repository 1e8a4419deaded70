/** A moment that was set on a {@link TimingWheel}. */
export interface Alarm {
  /** Takes the alarm off; nothing when it rang already. */
  cancel(): void;
}

interface Entry {
  rounds: number;
  readonly ring: () => void;
  readonly slot: Set<Entry>;
}

/**
 * Many alarms on one timer: setting and cancelling cost the same however many there are. The owner calls `tick` once a
 * second; an alarm of n seconds rings in the n-th tick after it was set.
 */
export class TimingWheel {
  readonly #slots: readonly Set<Entry>[];
  #now = 0;

  constructor(slots = 64) {
    this.#slots = Array.from({ length: slots }, () => new Set<Entry>());
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.size, 0);
  }

  /** Rings once, in the tick `seconds` from now (at least the next). */
  set(seconds: number, ring: () => void): Alarm {
    const ticks = Math.max(1, Math.ceil(seconds));
    const size = this.#slots.length;
    const slot = this.#slots[(this.#now + ticks) % size];
    if (slot === undefined) return { cancel: () => {} };
    const entry: Entry = { rounds: Math.floor((ticks - 1) / size), ring, slot };
    slot.add(entry);
    return { cancel: () => void slot.delete(entry) };
  }

  /** One second passed. */
  tick(): void {
    this.#now = (this.#now + 1) % this.#slots.length;
    const slot = this.#slots[this.#now];
    if (slot === undefined) return;
    const due: Entry[] = [];
    for (const entry of slot) {
      if (entry.rounds > 0) {
        entry.rounds--;
      } else {
        slot.delete(entry);
        due.push(entry);
      }
    }
    for (const entry of due) entry.ring();
  }
}
