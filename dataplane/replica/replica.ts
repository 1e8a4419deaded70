import type { ControlReply, ControlRequest } from '../../contract/control.ts';
import type { RangeReport, ReplicaReport } from '../../contract/heartbeat.ts';
import type { ReplicaSetId } from '../../contract/names.ts';
import { liveSubject, logStream, logSubject, snapshotSubject } from '../../contract/subjects.ts';
import type { Pod } from '../fabric/pod.ts';
import { systemClock, type Clock } from '../log/clock.ts';
import { JetStreamLog } from '../log/jetstream-log.ts';
import { Housekeeping } from './housekeeping.ts';
import type { LogHolds } from './log-holds.ts';
import { Member } from './member.ts';
import { Neighbourhood } from './neighbourhood.ts';
import type { ReplicaErrorCode } from './replica-error.ts';
import { ReplicaMetrics } from './replica-metrics.ts';
import { snapshotSetName } from './set-snapshot.ts';
import { openSnapshot } from './snapshot-client.ts';
import { SnapshotServer } from './snapshot-server.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import type { StateMachine } from './state-machine.ts';

export { ReplicaError } from './replica-error.ts';
export type { ReplicaErrorCode } from './replica-error.ts';

/** One member of a replica set, as the service on top of it sees it. */
export interface Replica {
  readonly leading: boolean;
  /** Highest term seen in the log. */
  readonly term: number;
  /** Sequence of the last entry in the local store. */
  readonly applied: number;
  /**
   * What `propose` would refuse an operation of this size with at this moment, or null. Synchronous, so that a
   * primary can ask before it adds the operation to its speculative state.
   */
  refusal(bytes: number): ReplicaErrorCode | null;
  /**
   * Appends one operation. The order of calls is the order in the log: an accepted operation is never dropped while a
   * later one goes through. Resolves with the entry's sequence once it is in the log AND applied locally.
   * Rejects with ReplicaError: `not-primary`, `overloaded`, `too-large` (what {@link refusal} says at the time of the
   * call) and `log-full` (later: the machine then gets `follow()` and `lead(term)`) mean surely not executed;
   * `unknown-outcome` means cannot tell.
   */
  propose(operation: Uint8Array): Promise<number>;
  /**
   * Whether a read of local state that starts now is linearizable without asking the log. Asking counts as a read: the
   * lease is kept alive while it is asked for.
   */
  mayRead(): boolean;
  /** Wall clock, milliseconds since 1970: the middle one of the members' clocks, so that one that jumps changes nothing. */
  wall(): number;
  /** Resolves when a read of local state that starts now is linearizable; rejects with `not-primary` or `unknown-outcome`. */
  readBarrier(): Promise<void>;
  /** Calls the listener at each change of role or term; answers the function that ends it. */
  onRole(listener: (leading: boolean, term: number) => void): () => void;
}

export interface ReplicaOptions {
  readonly pod: Pod;
  readonly set: ReplicaSetId;
  readonly machine: StateMachine;
  /** The keys that the machine serves, for the heartbeat. Left out, or undefined: nothing is told. */
  readonly range?: () => RangeReport | undefined;
  /** Who else reads the log. Left out: nobody. */
  readonly holds?: Pick<LogHolds, 'floor'>;
}

/** Starts a member: opens the log, catches up in the background, answers the operator. Resolves once it is running. */
export async function startReplica({ pod, set, machine, range, holds }: ReplicaOptions): Promise<Replica> {
  const { nats, env } = pod;
  const logger = pod.log.child({ set: `${set.kind}/${set.name}` });
  const stop = new AbortController();
  const log = new JetStreamLog({
    nats,
    stream: logStream(set),
    subject: logSubject(set),
    liveSubject: liveSubject(set),
  });
  const neighbourhood = new Neighbourhood(pod, set, systemClock);
  const clock: Clock = { ...systemClock, wall: () => neighbourhood.wall() };
  const setName = snapshotSetName(set);
  const snapshots: SnapshotSource = {
    peers: () => neighbourhood.peers(),
    open: (peer, signal) => openSnapshot({ nats, subject: snapshotSubject(set, peer), set: setName, clock, signal }),
  };
  const member: Member = new Member({
    writer: `${env.QUARTET_POD}/${pod.incarnation}`,
    log,
    machine,
    clock,
    logger,
    snapshots,
    expectedLog: () => neighbourhood.log,
    rebuildsBefore: () => neighbourhood.rebuildsBefore(),
    onChange: () => announce(pod, member),
    onCommitted: (flight, { seenAt }) => metrics.committed(flight, seenAt, clock.now()),
    onRebuilt: () => metrics.rebuilt(),
  });
  const metrics = new ReplicaMetrics(
    pod.metrics,
    () => member,
    () => housekeeping.snapshotAgeMs,
  );
  const chores = { pod: env.QUARTET_POD, member, log, snapshots, neighbourhood, clock, logger };
  const housekeeping = new Housekeeping({ ...chores, ...(holds && { holds }), signal: stop.signal });
  const subject = snapshotSubject(set, env.QUARTET_POD);
  const server = new SnapshotServer({ nats, subject, set: setName, machine, clock, logger });
  member.onRole((leading) => {
    if (leading) metrics.promoted();
  });
  pod.heartbeat(() => ({ replica: completed(member.report(), housekeeping.durable, range?.()) }));
  pod.onControl((request) => control(member, request));
  pod.onShutdown('replica', async () => {
    stop.abort();
    await member.stop();
    await server.stop();
  });
  pod.health.set('replica', false, 'starting');
  member.start();
  housekeeping.start();
  return member;
}

const completed = (report: ReplicaReport, durable: number, range: RangeReport | undefined): ReplicaReport => ({
  ...report,
  ...(range && { range }),
  figures: { ...report.figures, durable },
});

/** Others hear of a change at once. */
function announce(pod: Pod, member: Member): void {
  const { state, reason } = member.report();
  const detail = reason === undefined ? state : `${state}: ${reason}`;
  pod.health.set('replica', state === 'following' || state === 'primary' || state === 'promoting', detail);
  pod.beatNow();
}

async function control(member: Member, request: ControlRequest): Promise<ControlReply> {
  if (request.type === 'promote') return member.promote(request.term);
  await member.stepDown();
  return { ok: true, term: member.term, applied: member.applied };
}
