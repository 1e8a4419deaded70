import type { DesiredCondition } from '../runtime/conditions.ts';
import type { EventNote } from '../runtime/events.ts';
import type { ReplicaSet } from './kind.ts';
import { moveNews } from './move.ts';
import type { ReplicaSetPlan } from './plan.ts';

/** The value of a condition while all is well: reaching it is told as a Normal event. */
const good: Readonly<Record<string, boolean>> = {
  Ready: true,
  Degraded: false,
  RangeConsistent: true,
  OrdinalConsistent: true,
  LogLost: false,
  VolumesReady: true,
  Durable: true,
};

/** What was well from the start is no news, and what a new set still lacks is told by Ready alone. */
const isFirstNews = (type: string, isGood: boolean): boolean => !isGood && type !== 'Degraded';

/** Reasons of Ready: keys come or have gone, and nothing is wrong. */
const keysMove: ReadonlySet<string> = new Set(['TakingOver', 'Merging', 'Merged']);

const isNews = (set: ReplicaSet, { type, status, reason }: DesiredCondition): boolean => {
  const before = set.status?.conditions?.find((one) => one.type === type);
  if (before?.reason === reason) return false;
  // Splitting, Merging and Merged tell what is taken over, how far that is, and that it is over
  if (type === 'Ready' && keysMove.has(reason)) return false;
  if (status === 'Unknown') return reason === 'MonitorSilent';
  if (type === 'Progressing') return reason === 'RollingOut';
  return before !== undefined || isFirstNews(type, status === good[type]);
};

/** Conditions that tell of work, or that it is done: while they hold, nothing is wrong. */
const work: ReadonlySet<string> = new Set(['Progressing', 'Splitting', 'Merging', 'Merged']);

const noteOf = ({ type, status, reason, message = '' }: DesiredCondition): EventNote => ({
  type: status === good[type] || (work.has(type) && status !== false) ? 'Normal' : 'Warning',
  reason,
  note: message === '' ? `${type} is ${String(status)}` : message,
});

/** Events that a plan gives reason to: what changed for the better or worse since status was written last. */
export const newsOf = (set: ReplicaSet, { conditions, set: plan, status }: ReplicaSetPlan): EventNote[] => {
  const lostBefore = new Set(set.status?.members?.filter(({ state }) => state === 'lost').map(({ pod }) => pod));
  const lost = (plan?.lost ?? []).filter(({ pod }) => !lostBefore.has(pod));
  const move = moveNews(set.status?.move, status.move);
  return [
    ...(move === null ? [] : [move]),
    ...lost.map(({ pod, why }): EventNote => ({
      type: 'Warning',
      reason: 'ReplicaLost',
      note: `${pod} is given up: ${why}`,
    })),
    // a move has events of its own
    ...conditions.filter((condition) => condition.type !== 'Moving' && isNews(set, condition)).map(noteOf),
  ];
};
