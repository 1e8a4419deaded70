import type { Position } from './state-machine.ts';

/** A replica of the same set that could give a snapshot. */
export interface Peer {
  readonly pod: string;
  readonly applied: number;
  readonly leading: boolean;
}

/** A snapshot on its way. Iterating ends with SnapshotError when the peer dies or the checksum does not fit. */
export interface IncomingSnapshot {
  readonly position: Position;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Where snapshots come from. */
export interface SnapshotSource {
  /** Live peers that are able to serve one now. */
  peers(): readonly Peer[];
  open(pod: string, signal: AbortSignal): Promise<IncomingSnapshot>;
}

/** The transfer failed; the store is as it was. Another peer may do better. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: 'peer-gone' | 'damaged' | 'refused';

  constructor(code: SnapshotError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The most advanced peer whose snapshot connects to the log; followers before the primary, which has work to do. Pure. */
export function choosePeer(peers: readonly Peer[], logFirst: number): Peer | null {
  const able = peers.filter((peer) => peer.applied + 1 >= logFirst && peer.applied > 0);
  const sorted = able.toSorted(
    (a, b) => b.applied - a.applied || Number(a.leading) - Number(b.leading) || a.pod.localeCompare(b.pod),
  );
  return sorted[0] ?? null;
}
