import type { Logger } from 'pino';
import { choosePeer, SnapshotError, type SnapshotSource } from './snapshot-source.ts';
import type { StateMachine } from './state-machine.ts';

export interface RebuildParts {
  readonly machine: Pick<StateMachine, 'restore'>;
  readonly snapshots: SnapshotSource;
  readonly logger: Logger;
}

export interface RebuildGoal {
  /** First sequence that the log still has: a snapshot must reach the one before it. */
  readonly first: number;
  /** Creation time of the log. */
  readonly created: string;
  readonly signal: AbortSignal;
  /** Called for each chunk: from whom, and how many bytes came so far. */
  readonly onProgress: (peer: string, bytes: number) => void;
}

/** Replaces the store by a peer's snapshot. Answers null, or why it did not work this time; the store is unharmed then. */
export async function rebuild(parts: RebuildParts, goal: RebuildGoal): Promise<string | null> {
  const { machine, snapshots, logger } = parts;
  const peer = choosePeer(snapshots.peers(), goal.first);
  if (peer === null) return `no live peer has a state that reaches entry ${goal.first - 1}`;
  try {
    const snapshot = await snapshots.open(peer.pod, goal.signal);
    const { position } = snapshot;
    if (position.log !== goal.created) return `the snapshot of ${peer.pod} is of another log`;
    if (position.seq + 1 < goal.first) return `the snapshot of ${peer.pod} ends at ${position.seq}, before the log`;
    logger.info({ peer: peer.pod, seq: position.seq }, 'restoring from a peer');
    await machine.restore(
      position,
      counted(snapshot.chunks, (bytes) => goal.onProgress(peer.pod, bytes)),
    );
    logger.info({ peer: peer.pod, seq: position.seq }, 'restored');
    return null;
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    logger.warn({ err: error, peer: peer.pod }, 'the snapshot did not come through');
    return `${peer.pod}: ${error.message}`;
  }
}

async function* counted(chunks: AsyncIterable<Uint8Array>, tell: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    tell(bytes);
    yield chunk;
  }
}
