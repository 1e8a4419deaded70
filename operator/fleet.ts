/** What one replica set occupies. */
export interface Occupancy {
  /** Node of each replica, also of those about to be made. */
  readonly replicaNodes: readonly string[];
  /** Node of the primary, if any. */
  readonly primaryNode: string | null;
  /** Nodes on which replicas of this set are being rebuilt. */
  readonly rebuildingNodes: readonly string[];
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
