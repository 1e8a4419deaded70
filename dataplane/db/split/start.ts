import type { ReplicaSetId } from '../../../contract/names.ts';
import { memberSplitSubject } from '../../../contract/subjects.ts';
import type { Directory } from '../../fabric/directory.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { LogHolds } from '../../replica/log-holds.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Executor } from '../member/executor.ts';
import type { Store } from '../store/store.ts';
import { SplitMetrics } from './metrics.ts';
import { Planner } from './planner.ts';
import type { RangeReporter } from './range-report.ts';
import { followingOf, isEmptied, isHandedTo, objectionToOpening } from './readiness.ts';
import { RemoteSource } from './remote-source.ts';
import { SplitServer } from './server.ts';
import { SplitSource } from './source.ts';
import { sweepStrays } from './sweep-loop.ts';
import { SplitWorker } from './worker.ts';

/** A member, as splits and merges see it. */
export interface SplitMember {
  readonly pod: Pod;
  readonly set: ReplicaSetId;
  readonly store: Store;
  readonly replica: Replica;
  readonly executor: Executor;
  readonly reporter: RangeReporter;
  readonly holds: LogHolds;
  readonly directory: Directory<'db'>;
  readonly beats: Heartbeats;
}

/** What a member does for splits and merges, on either side: gives keys away, takes some over, sweeps. Ends with the pod. */
export const startSplits = (member: SplitMember): void => {
  const { pod, set, store, replica, executor, reporter, directory, beats } = member;
  const { nats, log } = pod;
  const stop = new AbortController();
  const { signal } = stop;
  const source = (name: string): RemoteSource =>
    new RemoteSource({
      nats,
      set: { ...set, name },
      to: set.name,
      entry: () => directory.entries.get(name),
      beats,
      signal,
    });
  const membersOf = (name: string): string[] =>
    directory.entries.get(name)?.members.map(({ pod: member }) => member) ?? [];
  const objection = (from: string): string | null =>
    objectionToOpening({
      members: membersOf(set.name).length,
      following: followingOf(membersOf(set.name), beats),
      handed: isHandedTo(set.name, membersOf(from), beats),
    });
  const worker: SplitWorker = new SplitWorker({
    shard: set.name,
    replica,
    executor,
    store,
    reporter,
    splitFrom: () => directory.entries.get(set.name)?.splitFrom ?? null,
    mergeFrom: () => {
      const from = directory.entries.get(set.name)?.mergeFrom?.shard;
      return from === undefined ? null : { shard: from, emptied: isEmptied(membersOf(from), beats) };
    },
    source,
    objection,
    log,
    onWritten: (bytes) => metrics.written(bytes),
    onPhase: (phase, ms) => metrics.phase(phase, ms),
  });
  const metrics = new SplitMetrics(pod, { phase: () => worker.phase, store });
  const server = new SplitServer({
    planner: new Planner({ replica, store }),
    source: new SplitSource({ executor, replica, store }),
    holds: member.holds,
    log,
  });
  const unlisten = server.listen(nats, memberSplitSubject(set, pod.env.QUARTET_POD));
  pod.onShutdown('splits', async () => {
    unlisten();
    stop.abort();
  });
  void worker.run(signal);
  void sweepStrays({ executor, replica, store, log, signal });
};
