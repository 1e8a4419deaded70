import type { SetAction } from './action.ts';
import { candidates } from './election.ts';
import { highestTerm, type ReplicaView, type SetView } from './view.ts';

/** What is to be changed about the replicas of a set now. */
export interface Change {
  readonly actions: readonly SetAction[];
  /** Why nothing is, though something should be. */
  readonly blocked?: string | undefined;
}

export const none: Change = { actions: [] };

export const act = (...actions: SetAction[]): Change => ({ actions });

/** Another of these replicas is asked to lead, in a planned change. */
export const switchOver = (view: SetView, from: string, among: readonly ReplicaView[], why: string): Change => {
  if (view.inFlight !== null) return none;
  const target = candidates(view, from).find((replica) => among.includes(replica) && !replica.refused);
  if (target === undefined) return { actions: [], blocked: `${from} leads and no other replica can` };
  return act({ type: 'switch-over', from, pod: target.pod, term: highestTerm(view) + 1, why });
};
