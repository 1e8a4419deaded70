import { choosePeer, SnapshotError, type SnapshotSource } from './snapshot-source.ts';

/** That a peer gave a whole snapshot. */
export interface Proof {
  readonly pod: string;
  /** When it was over; monotonic, ms. */
  readonly at: number;
  readonly tookMs: number;
}

export type Rehearsal = { readonly ok: true; readonly pod: string } | { readonly ok: false; readonly reason: string };

/** A proof reads all that the peer has. At most one part in so many of a primary's time goes into proofs. */
const partsOfTime = 20;

/**
 * Whether the last proof is good enough for what is to be removed now: of a small store each time has its own, of one
 * that takes minutes to read not every half a minute. Pure.
 */
export const holdsStill = (proof: Proof | null, now: number, isAlive: (pod: string) => boolean): proof is Proof =>
  proof !== null && now - proof.at < partsOfTime * proof.tookMs && isAlive(proof.pod);

export interface RehearsalGoal {
  /** The snapshot must contain this entry. */
  readonly seq: number;
  readonly created: string;
  readonly signal: AbortSignal;
}

/**
 * Proves, before entries are removed, that a peer can give a whole snapshot that makes them unnecessary: it is pulled to
 * its end by the same way that a rebuild takes, with all checksums, and thrown away.
 */
export async function rehearse(snapshots: SnapshotSource, goal: RehearsalGoal): Promise<Rehearsal> {
  const peer = choosePeer(snapshots.peers(), goal.seq + 1);
  if (peer === null) return { ok: false, reason: `no peer has applied ${goal.seq}` };
  try {
    const { position, chunks } = await snapshots.open(peer.pod, goal.signal);
    const fits = position.log === goal.created && position.seq >= goal.seq;
    if (!fits) return { ok: false, reason: `${peer.pod} offered a snapshot at ${position.seq}` };
    for await (const _chunk of chunks) if (goal.signal.aborted) break;
    return { ok: true, pod: peer.pod };
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    return { ok: false, reason: error.message };
  }
}
