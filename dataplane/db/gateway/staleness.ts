import type { Heartbeat } from '../../../contract/heartbeat.ts';

interface Seen {
  readonly at: number;
  readonly tail: number;
}

/** Heartbeats of primaries that are remembered for each shard: ten seconds of them. */
const remembered = 40;
const ableStates = new Set(['following', 'primary']);

/**
 * How old the state of each member is at most, judged by heartbeats: a member whose store contains what the primary's
 * log held when the primary was heard is at most as old as that heartbeat. A member that is cut off from the log cannot
 * claim to be current, because it is measured by the primary's words.
 */
export class Staleness {
  readonly #primaries = new Map<string, { term: number; beats: Seen[] }>();
  readonly #applied = new Map<string, number>();

  /** Takes a heartbeat that came at a time (monotonic, milliseconds). */
  note({ resource, pod, replica }: Heartbeat, at: number): void {
    if (resource === null || !replica) return;
    if (ableStates.has(replica.state)) this.#applied.set(pod, replica.applied);
    else this.#applied.delete(pod);
    if (replica.state !== 'primary') return;
    this.#notePrimary(resource, replica.term, { at, tail: replica.tail });
  }

  #notePrimary(shard: string, term: number, seen: Seen): void {
    const known = this.#primaries.get(shard);
    if (known && known.term > term) return;
    const beats = known?.term === term ? known.beats : [];
    beats.push(seen);
    if (beats.length > remembered) beats.shift();
    this.#primaries.set(shard, { term, beats });
  }

  /** Age of a member's state at most, milliseconds; Infinity: not known. */
  of(shard: string, pod: string, now: number): number {
    const applied = this.#applied.get(pod);
    const beat = this.#primaries.get(shard)?.beats.findLast(({ tail }) => applied !== undefined && tail <= applied);
    return beat ? now - beat.at : Infinity;
  }
}
