import { suspectAfterMs } from '../../../contract/heartbeat.ts';
import { isEmptyRange } from '../../../contract/key-range.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';

/** What is known of a shard before it asks for the keys of another one. */
export interface Readiness {
  /** Members that it is to have. */
  readonly members: number;
  /** Members that are alive and follow its log, the primary included. */
  readonly following: number;
  /** The source has handed the keys over already: there is only forward. */
  readonly handed: boolean;
}

/**
 * Why a new shard does not ask for its keys yet; null: it does. Keys do not move to a shard of which less than half is
 * there: until then the split can be given up, and the source serves them. Pure.
 */
export const objectionToOpening = ({ members, following, handed }: Readiness): string | null => {
  if (handed || 2 * following >= members) return null;
  return `only ${following} of ${members} members follow: the keys are taken over when more of them do`;
};

type Beats = Pick<Heartbeats, 'get' | 'alive'>;

/** How many of these members are alive and follow. */
export const followingOf = (members: readonly string[], beats: Beats): number =>
  members.filter((pod) => {
    const state = beats.get(pod)?.beat.replica?.state;
    return beats.alive(pod, suspectAfterMs) && (state === 'following' || state === 'primary');
  }).length;

/** Whether members of the source told that they have handed keys to a shard. */
export const isHandedTo = (shard: string, source: readonly string[], beats: Beats): boolean =>
  source.some((pod) => beats.get(pod)?.beat.replica?.range?.handed?.to === shard);

/** Whether the newest that members of a shard told of its range is that it holds no key, and that it takes none over. */
export const isEmptied = (members: readonly string[], beats: Beats): boolean => {
  const told = members.flatMap((pod) => beats.get(pod)?.beat.replica?.range ?? []);
  const [newest] = told.toSorted((a, b) => b.epoch - a.epoch);
  return newest !== undefined && isEmptyRange(newest) && newest.intake === undefined;
};
