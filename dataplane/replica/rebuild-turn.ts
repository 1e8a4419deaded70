import type { RebuildReport } from '../../contract/heartbeat.ts';

/** Another replica on the same node that is rebuilt, or wants to be. */
export interface NodeRebuild {
  readonly pod: string;
  readonly stage: RebuildReport['stage'];
}

/** An intention to rebuild is told this long before it is acted upon: time for two heartbeats of each. */
export const announceMs = 600;

/**
 * Who goes first: a node rebuilds one replica at a time, because two would share its disk and network and both take
 * twice as long. One that copies goes on; of those that wait the lowest name is next. Null: it is `own`'s turn.
 */
export const rebuildsBefore = (own: string, others: readonly NodeRebuild[]): string | null => {
  const copying = others.find(({ stage }) => stage === 'copying');
  const first = copying ?? others.find(({ pod }) => pod < own);
  return first?.pod ?? null;
};
