import type { Heartbeats } from '../../fabric/heartbeats.ts';

/** A member that can take requests of a shard. */
export interface Target {
  readonly pod: string;
  readonly term: number;
  /** Of the process: a restart is another member. */
  readonly incarnation: string;
}

/** A primary that was not heard for so long is not sent anything, milliseconds. */
const silentAfterMs = 1500;

/** The primary of a shard: of the members that were heard of late and say that they lead, the one with the highest term. */
export const findPrimary = (members: readonly string[], beats: Pick<Heartbeats, 'get' | 'alive'>): Target | null => {
  let best: Target | null = null;
  for (const pod of members) {
    const beat = beats.get(pod)?.beat;
    if (beat?.replica?.state !== 'primary' || !beats.alive(pod, silentAfterMs)) continue;
    const { term } = beat.replica;
    if (best === null || term > best.term) best = { pod, term, incarnation: beat.incarnation };
  }
  return best;
};
