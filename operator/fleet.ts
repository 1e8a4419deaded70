/** How a replica set stands, for whoever looks at the balance of the fleet. */
export interface SetStanding {
  /** Its replicas; a move that goes on counts as done. */
  readonly seats: readonly { readonly pod: string; readonly node: string; readonly zone: string }[];
  readonly leader: string | null;
  /** As desired, all caught up, nothing going on. */
  readonly settled: boolean;
  /** A move that is asked for or goes on. */
  readonly move: { readonly bytes: number } | null;
  /** The last one that is over. Time in ms since the epoch. */
  readonly lastMove: { readonly ended: number; readonly bytes: number } | null;
}

/** What one replica set occupies. */
export interface Occupancy {
  /** Node of each replica, also of those about to be made. */
  readonly replicaNodes: readonly string[];
  /** Node of the primary, if any. */
  readonly primaryNode: string | null;
  /** Nodes on which replicas of this set are being rebuilt. */
  readonly rebuildingNodes: readonly string[];
  /** Absent: nothing was decided about it yet. */
  readonly standing?: SetStanding;
}

export interface NodeLoad {
  readonly replicas: number;
  readonly primaries: number;
  readonly rebuilding: number;
}

const empty: NodeLoad = { replicas: 0, primaries: 0, rebuilding: 0 };

/**
 * What all replica sets occupy, as their last plans saw and decided it. A plan notes its decision here before it is
 * carried out and without waiting in between, so two sets never both take the last free place.
 */
export class Fleet {
  readonly #sets = new Map<string, Occupancy>();

  note(set: string, occupancy: Occupancy): void {
    this.#sets.set(set, occupancy);
  }

  forget(set: string): void {
    this.#sets.delete(set);
  }

  has(set: string): boolean {
    return this.#sets.has(set);
  }

  /** What each set occupies, by its key. */
  all(): ReadonlyMap<string, Occupancy> {
    return this.#sets;
  }

  /** Load by node. */
  loads(): ReadonlyMap<string, NodeLoad> {
    const loads = new Map<string, NodeLoad>();
    const add = (node: string, change: Partial<NodeLoad>): void => {
      const load = loads.get(node) ?? empty;
      loads.set(node, {
        replicas: load.replicas + (change.replicas ?? 0),
        primaries: load.primaries + (change.primaries ?? 0),
        rebuilding: load.rebuilding + (change.rebuilding ?? 0),
      });
    };
    for (const { replicaNodes, primaryNode, rebuildingNodes } of this.#sets.values()) {
      for (const node of replicaNodes) add(node, { replicas: 1 });
      for (const node of rebuildingNodes) add(node, { rebuilding: 1 });
      if (primaryNode !== null) add(primaryNode, { primaries: 1 });
    }
    return loads;
  }
}
