import { setTimeout as sleep } from 'node:timers/promises';
import type { Observer } from './observer.ts';

/** A member under way to another place, as the operator would see it. */
export interface Relocation {
  readonly observer: Observer;
  readonly shard: string;
  /** Who leaves. */
  readonly old: string;
  /** All that belong to the shard once it has left. */
  readonly rest: readonly string[];
  /** Whether an operator is there: nothing is decided while it is away. */
  readonly present: () => boolean;
}

/** When the new member has not come so far, it goes again. */
const limitMs = 30_000;
/** Entries that a member may be behind, as the operator judges it. */
const slack = 1000;

const isCaughtUp = (observer: Observer, shard: string, pod: string): boolean => {
  const report = observer.report(pod);
  if (report === undefined || !observer.live(shard).includes(pod)) return false;
  const follows = report.state === 'following' || report.state === 'primary';
  return follows && report.tail - report.applied <= slack;
};

/** Another one is asked to lead: the one that is most advanced. */
const handOver = async ({ observer, shard, old, rest }: Relocation): Promise<void> => {
  const applied = (pod: string): number => observer.report(pod)?.applied ?? 0;
  const [heir] = rest.filter((pod) => isCaughtUp(observer, shard, pod)).sort((a, b) => applied(b) - applied(a));
  if (heir === undefined) return;
  await observer.ask(old, { type: 'step-down' });
  await observer.ask(heir, { type: 'promote', term: observer.highestTerm(shard) + 1 });
};

/**
 * Waits until a member may leave: all others have caught up and one of them leads, which is asked to when it is the one
 * that leaves who does. False: it did not come to that in time.
 */
export const mayLeave = async (relocation: Relocation): Promise<boolean> => {
  const { observer, shard, old, rest, present } = relocation;
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    const ready = present() && rest.every((pod) => isCaughtUp(observer, shard, pod));
    const primary = observer.primary(shard);
    if (ready && primary !== undefined && primary !== old) return true;
    if (ready && primary === old) await handOver(relocation);
    await sleep(50);
  }
  return false;
};
