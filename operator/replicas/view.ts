import type { ReplicaState } from '../../contract/heartbeat.ts';

/**
 * What the decisions about a replica set are made from: one moment, as data. Ages are ms before that moment, so no
 * decision needs a clock.
 */

/** A node that could hold replicas, or holds some. A node that is gone stays in the view while a replica is bound to it. */
export interface NodeView {
  readonly name: string;
  readonly zone: string;
  /** Ready and not cordoned: pods may be placed here. */
  readonly usable: boolean;
  /** Time since it stopped being usable; 0 while it is. */
  readonly unusableForMs: number;
  /** Kubernetes calls it not ready, or it is gone. A cordoned node is not lost. */
  readonly lost: boolean;
  /** Time that it has been usable; 0 while it is not. */
  readonly steadyForMs: number;
  /** Replicas of all sets on it, this one's included. */
  readonly replicas: number;
  /** Primaries of all sets on it, this one's included. */
  readonly primaries: number;
  /** Replicas of any set on it that are being rebuilt. */
  readonly rebuilding: number;
}

/** The last heartbeat of a replica. */
export interface BeatView {
  readonly state: ReplicaState;
  /** Highest term that it has seen in the log. */
  readonly term: number;
  readonly applied: number;
  readonly tail: number;
  /** Time since it arrived. */
  readonly ageMs: number;
  /** Time since the first one of this process. */
  readonly upForMs: number;
  /** Time since the state last changed. */
  readonly stateForMs: number;
  readonly reason?: string | undefined;
}

/** The pod object of a replica, as Kubernetes has it. */
export type Presence = 'running' | 'pending' | 'terminating' | 'failed' | 'absent';

/** One replica: a number, a volume, a node for life, and a pod that comes and goes. */
export interface ReplicaView {
  readonly pod: string;
  readonly number: number;
  readonly node: string;
  readonly zone: string;
  readonly presence: Presence;
  /** Ready by its readiness probe. */
  readonly ready: boolean;
  /** Made from an older template: image or environment changed since. */
  readonly outdated: boolean;
  /** Carries the label that the primary's Service selects. */
  readonly labelledPrimary: boolean;
  /** Time since the replica, or the pod that it has now, was made. */
  readonly createdForMs: number;
  /** Null: never heard of in this operator's life. */
  readonly beat: BeatView | null;
  /** It refused to lead a moment ago: ask others first. */
  readonly refused: boolean;
  /** The replica whose place it was made to take on another node; null: it was not made for a move. */
  readonly replaces: string | null;
}

/** A command whose outcome is not known yet. */
export interface CommandInFlight {
  readonly type: 'promote' | 'switch-over';
  readonly pod: string;
  /** It failed; the next one waits for a moment. */
  readonly backingOff: boolean;
}

/** A move that was asked for: of one replica to another node. */
export interface MoveRequest {
  /** Its pod. */
  readonly replica: string;
  /** Null: to whichever node is best. */
  readonly to: string | null;
  /** For people; empty: nobody said. */
  readonly why: string;
  /** The operator asked itself, for balance. */
  readonly automatic: boolean;
  /** The replica that was made for it, as far as status tells; null: none yet. */
  readonly replacement: string | null;
}

/** What would make load or size more even over nodes: see `operator/rebalance`. It is looked at again before it is done. */
export type Improvement =
  | { readonly type: 'lead'; readonly pod: string; readonly why: string }
  | { readonly type: 'move'; readonly pod: string; readonly to: string; readonly why: string };

export interface SetView {
  readonly desired: number;
  readonly replicas: readonly ReplicaView[];
  readonly nodes: readonly NodeView[];
  /** Number of the next replica. */
  readonly nextNumber: number;
  /** Last known primary and term: from status, or from its answer to a promotion. */
  readonly recorded: { readonly primary: string | null; readonly term: number };
  /** The recorded primary answered its promotion less than suspectAfterMs ago: its heartbeats may still tell the old state. */
  readonly settling: boolean;
  /**
   * Whether silence means anything. `none`: this operator has lost NATS, came back a moment ago, was stalled itself, or
   * hears less than half of the pods that it knew: then nobody is suspected for silence.
   */
  readonly evidence: 'sound' | 'none';
  /** Time that this operator has been listening without a break: who was not heard for longer may have been heard by another. */
  readonly listeningForMs: number;
  readonly inFlight: CommandInFlight | null;
  /** Ages of the elections of the last minute that nobody had planned, ms. */
  readonly elections: readonly number[];
  /** Why the change of its template waits, e.g. for another set that goes first; null when it is this set's turn. */
  readonly rollOutWaitsFor: string | null;
  /** Null: no move is asked for. */
  readonly move: MoveRequest | null;
  readonly improvement: Improvement | null;
  readonly suspectAfterMs: number;
  readonly replaceAfterMs: number;
}

/** The highest term that anyone has heard of. */
export const highestTerm = (view: SetView): number =>
  Math.max(view.recorded.term, ...view.replicas.map((replica) => replica.beat?.term ?? 0));

/** Entries that a replica may be behind the tail and still count as caught up: it closes that within a moment. */
export const catchUpSlack = 1000;

export const isFresh = (replica: ReplicaView, view: SetView): boolean =>
  replica.beat !== null && replica.beat.ageMs <= view.suspectAfterMs;

/** Follows or leads, close to the tail of the log. */
export const isCaughtUp = (replica: ReplicaView, view: SetView): boolean => {
  const { beat } = replica;
  if (beat === null || !isFresh(replica, view) || replica.presence !== 'running') return false;
  if (beat.state !== 'following' && beat.state !== 'primary' && beat.state !== 'promoting') return false;
  return beat.tail - beat.applied <= catchUpSlack;
};

/** What a replica says it does; null while it is not heard. */
export const liveState = (replica: ReplicaView, view: SetView): ReplicaState | null =>
  isFresh(replica, view) && replica.beat !== null ? replica.beat.state : null;

/** Last log sequence in its store, as far as known. */
export const appliedOf = (replica: ReplicaView): number => replica.beat?.applied ?? 0;

export const nodeOf = (replica: ReplicaView, view: SetView): NodeView | undefined =>
  view.nodes.find((node) => node.name === replica.node);
