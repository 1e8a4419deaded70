import type { NodeView, ReplicaView, SetView } from './view.ts';

/**
 * Where replicas go. Hard rule: never two replicas of a set on one node, since one machine would take both. Among the
 * nodes left: the zone with the fewest replicas of the set, then the node with the fewest replicas of all sets.
 */
export interface PlacementRequest {
  readonly nodes: readonly NodeView[];
  /** Replicas that the set has, lost ones included. */
  readonly replicas: readonly Pick<ReplicaView, 'node' | 'zone'>[];
  /** False keeps a node out, e.g. because another rebuild runs on it. */
  readonly allowed?: (node: NodeView) => boolean;
}

/** The node for one more replica; null when there is none. */
export const placeReplica = ({ nodes, replicas, allowed = () => true }: PlacementRequest): NodeView | null => {
  const taken = new Set(replicas.map((replica) => replica.node));
  const inZone = (zone: string): number => replicas.filter((replica) => replica.zone === zone).length;
  const free = nodes.filter((node) => node.usable && !taken.has(node.name) && allowed(node));
  free.sort((a, b) => inZone(a.zone) - inZone(b.zone) || a.replicas - b.replicas || (a.name < b.name ? -1 : 1));
  return free[0] ?? null;
};

/** How bad a set of replicas is placed; lower is better, compared from left to right. */
export type PlacementCost = readonly [unusable: number, zones: number, load: number];

/** How unevenly replicas are spread over zones: the sum of squares of what each holds. */
export const zoneCost = (replicas: readonly { readonly zone: string }[]): number => {
  const zones = new Map<string, number>();
  for (const { zone } of replicas) zones.set(zone, (zones.get(zone) ?? 0) + 1);
  return [...zones.values()].reduce((sum, count) => sum + count * count, 0);
};

export const placementCost = (
  replicas: readonly Pick<ReplicaView, 'node' | 'zone'>[],
  load: (node: string) => { readonly usable: boolean; readonly others: number },
): PlacementCost => [
  replicas.filter(({ node }) => !load(node).usable).length,
  zoneCost(replicas),
  replicas.reduce((sum, { node }) => sum + load(node).others, 0),
];

/** Negative when `a` is better. */
export const compareCost = (a: PlacementCost, b: PlacementCost): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

/**
 * Replicas of other sets on a node, and whether it is usable: what {@link placementCost} weighs. A node that was
 * cordoned a moment ago is not left yet: it may be a short maintenance.
 */
export const loadOfOthers = ({ nodes, replicas, replaceAfterMs }: SetView) => {
  const own = new Map<string, number>();
  for (const { node } of replicas) own.set(node, (own.get(node) ?? 0) + 1);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return (name: string): { usable: boolean; others: number } => {
    const node = byName.get(name);
    const stays = node !== undefined && (node.usable || (!node.lost && node.unusableForMs < replaceAfterMs));
    return { usable: stays, others: Math.max(0, (node?.replicas ?? 0) - (own.get(name) ?? 0)) };
  };
};
