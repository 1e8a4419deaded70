import type { StoredPublication } from './stored-publication.ts';

/** A message as it came live: with the sequence of the message before it in its room (0 when none was stored). */
export interface LiveMessage {
  readonly seq: number;
  readonly previous: number;
  /** Null for a message that is not ours: it counts for the order, nobody gets it. */
  readonly publication: StoredPublication | null;
}

/**
 * - deliver: the next message of the room
 * - gap: messages before this one are missing, or may be; read all after `top`, then call `repaired`
 * - nothing: seen already, not ours, or it waits for a repair that runs
 */
export type Step =
  | { readonly kind: 'deliver'; readonly publication: StoredPublication }
  | { readonly kind: 'gap' }
  | { readonly kind: 'nothing' };

/** Messages that may wait for a repair; the rest is read from the stream after it. */
const maxWaiting = 4_096;

/**
 * Puts a room's live messages into stream order, each once, and says what is missing. Pure: it neither reads nor
 * sends. A live message names its predecessor, so a hole shows with the next message.
 */
export class Sequencer {
  #top: number;
  /** The last message of the room that was seen; 0 when none was. */
  #last = 0;
  #repairing = false;
  #waiting: LiveMessage[] = [];

  /** Everything up to `position` counts as delivered. */
  constructor(position: number) {
    this.#top = position;
  }

  /** The highest sequence up to which everything was delivered. */
  get top(): number {
    return this.#top;
  }

  get repairing(): boolean {
    return this.#repairing;
  }

  /** Takes a live message. */
  take(message: LiveMessage): Step {
    if (message.seq <= this.#top) return { kind: 'nothing' };
    if (this.#repairing) {
      // what does not fit shows as a gap again once the repair is done
      if (this.#waiting.length < maxWaiting) this.#waiting.push(message);
      return { kind: 'nothing' };
    }
    if (!this.#follows(message)) {
      this.#repairing = true;
      this.#waiting.push(message);
      return { kind: 'gap' };
    }
    this.#top = message.seq;
    this.#last = message.seq;
    return message.publication === null ? { kind: 'nothing' } : { kind: 'deliver', publication: message.publication };
  }

  /**
   * Whether nothing can be missing before a message. A predecessor older than the last message seen, or none at all,
   * means that retention removed some: perhaps one that nobody saw. Only the stream and its floor can tell.
   */
  #follows({ previous }: LiveMessage): boolean {
    return previous <= this.#top && previous >= this.#last && previous > 0;
  }

  /** Starts a repair without a live message: something may have been missed. False when one runs already. */
  startRepair(): boolean {
    if (this.#repairing) return false;
    this.#repairing = true;
    return true;
  }

  /**
   * Ends a repair that found nothing removed unseen: `read` is all that the stream holds after `top` and up to `upTo`.
   * Returns what to deliver. When `repairing` is true afterwards, what waited shows another gap: read again.
   */
  repaired(read: readonly StoredPublication[], upTo: number): readonly StoredPublication[] {
    const deliver = read.filter((publication) => publication.seq > this.#top);
    this.#last = deliver.at(-1)?.seq ?? this.#last;
    this.#top = Math.max(this.#top, upTo, this.#last);
    this.#repairing = false;
    const waiting = this.#waiting.toSorted((a, b) => a.seq - b.seq);
    this.#waiting = [];
    for (const message of waiting) {
      const step = this.take(message);
      if (step.kind === 'deliver') deliver.push(step.publication);
    }
    return deliver;
  }

  /** The repair failed: the next message or audit shows the gap again and starts another. */
  repairFailed(): void {
    this.#repairing = false;
    this.#waiting = [];
  }
}
