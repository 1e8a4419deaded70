/** The whole fleet at one moment, as balance looks at it. Ages are ms before that moment. */

export interface FleetNode {
  readonly name: string;
  readonly zone: string;
  /** Ready and not cordoned. */
  readonly usable: boolean;
  /** Time that it has been usable. */
  readonly steadyForMs: number;
  /** Replicas on it that are being rebuilt. */
  readonly rebuilding: number;
}

/** A replica and where it is. */
export interface Seat {
  readonly pod: string;
  readonly node: string;
  readonly zone: string;
}

/** What a set stores and does: smoothed over minutes, so that a peak moves nothing. */
export interface SetFigures {
  /** Bytes of the store of each replica. */
  readonly bytes: number;
  /** Reads and writes a second that the primary carries out. */
  readonly leaderWork: number;
  /** Writes a second that a follower applies. */
  readonly followerWork: number;
}

export interface FleetSet {
  /** `db/<namespace>/<name>` */
  readonly key: string;
  readonly seats: readonly Seat[];
  /** Pod of the primary. */
  readonly leader: string | null;
  /** Time that it has led. */
  readonly leadsForMs: number;
  /** As desired, all caught up, nothing going on. */
  readonly settled: boolean;
  /** A replica of it moves, or is asked to, or is being rebuilt. */
  readonly busy: boolean;
  /** Null: not watched for long enough. */
  readonly figures: SetFigures | null;
  /** How its last move ended, and when; null: it had none. */
  readonly lastMove: { readonly agoMs: number; readonly bytes: number } | null;
  /** Bytes of the move that goes on. */
  readonly movingBytes: number;
}

export interface FleetView {
  readonly nodes: readonly FleetNode[];
  readonly sets: readonly FleetSet[];
  /** Time since a primary was last changed for balance. */
  readonly sinceLeadMs: number;
}
