import type { NatsConnection } from '@nats-io/nats-core';
import type { ReplicaSetId } from '../../contract/names.ts';
import { snapshotSubject } from '../../contract/subjects.ts';
import type { Clock } from '../log/clock.ts';
import type { ReplicatedLog } from '../log/replicated-log.ts';
import { openSnapshot } from './snapshot-client.ts';
import { choosePeer, SnapshotError, type IncomingSnapshot, type Peer } from './snapshot-source.ts';

export interface SetSnapshotOptions {
  readonly nats: NatsConnection;
  readonly set: ReplicaSetId;
  /** The log of the set. */
  readonly log: Pick<ReplicatedLog, 'extent'>;
  /** Members of the set that are able to give a snapshot now. */
  readonly peers: readonly Peer[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a snapshot server calls the set whose snapshots it gives. */
export const snapshotSetName = ({ kind, namespace, name }: ReplicaSetId): string => `${kind}/${namespace}/${name}`;

/**
 * A snapshot of a replica set from the best member that gives one. The log of the set goes on from it.
 * @throws SnapshotError nobody gives one now; LogError the log is away
 */
export const openSetSnapshot = async (options: SetSnapshotOptions): Promise<IncomingSnapshot> => {
  const { nats, set, log, clock, signal } = options;
  const { first, created } = await log.extent();
  let rest = options.peers;
  let failure = 'no live member is known';
  for (let peer = choosePeer(rest, first); peer !== null; peer = choosePeer(rest, first)) {
    const { pod } = peer;
    rest = rest.filter((other) => other.pod !== pod);
    try {
      const subject = snapshotSubject(set, pod);
      const opened = await openSnapshot({ nats, subject, set: snapshotSetName(set), clock, signal });
      if (opened.position.log === created && opened.position.seq + 1 >= first) return opened;
      failure = `the snapshot of ${pod} does not fit to the log`;
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      failure = `${pod}: ${error.message}`;
    }
  }
  throw new SnapshotError('refused', `${set.name} gives no snapshot now (${failure})`);
};
