import { isFresh, nodeOf, type ReplicaView, type SetView } from './view.ts';

/** A silent replica on a node that Kubernetes calls ready gets this many times replaceAfter. */
const silenceFactor = 3;
/** One that was never heard of (its image is being pulled) gets this many times. */
const neverHeardFactor = 10;

/** Silence that this operator has witnessed itself, of the pod that there is now. */
const silentForMs = (replica: ReplicaView, view: SetView): number =>
  Math.min(replica.beat?.ageMs ?? Number.POSITIVE_INFINITY, replica.createdForMs, view.listeningForMs);

/** Halted by itself for long, while others of the set follow: its own store is what is wrong. */
const isHaltedAlone = (replica: ReplicaView, view: SetView): boolean =>
  replica.beat?.state === 'halted' &&
  replica.beat.stateForMs >= view.replaceAfterMs &&
  view.replicas.some(
    (other) => isFresh(other, view) && (other.beat?.state === 'following' || other.beat?.state === 'primary'),
  );

/**
 * Why a replica is given up, or null. It is then rebuilt from a peer on another node, and forgotten once the new one has caught up; if
 * it comes back before that it is taken back.
 */
export const lossOf = (replica: ReplicaView, view: SetView): string | null => {
  if (isFresh(replica, view)) return isHaltedAlone(replica, view) ? `${replica.pod} is halted` : null;
  const node = nodeOf(replica, view);
  if (node === undefined) return `node ${replica.node} does not exist`;
  if (!node.usable && node.unusableForMs >= view.replaceAfterMs) {
    return node.lost ? `node ${replica.node} is lost` : `${replica.pod} was evicted and node ${replica.node} is closed`;
  }
  if (view.evidence === 'none') return null;
  const factor = replica.beat === null ? neverHeardFactor : silenceFactor;
  if (silentForMs(replica, view) >= factor * view.replaceAfterMs) return `${replica.pod} is silent`;
  return null;
};
