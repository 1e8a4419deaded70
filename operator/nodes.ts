import type { Node } from './runtime/builtin.ts';

/** Taints that the operator's pods tolerate or that only say what `ready` and `cordoned` say already. */
const harmlessTaints = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
  'node.kubernetes.io/unschedulable',
]);

export interface NodeState {
  readonly name: string;
  readonly zone: string;
  readonly usable: boolean;
  /** Not ready, or gone. */
  readonly lost: boolean;
  /** When `usable` last changed, ms since the epoch. */
  readonly since: number;
}

const isRepelling = (taint: { readonly key: string; readonly effect: string }): boolean =>
  taint.effect !== 'PreferNoSchedule' && !harmlessTaints.has(taint.key);

/** The state of a node as its object shows it. `since` is the time of the Ready condition's last change. */
export const readNode = ({ metadata, spec, status }: Node, now: number): NodeState => {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const lost = ready?.status !== 'True' || metadata.deletionTimestamp !== undefined;
  return {
    name: metadata.name,
    zone: metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
    usable: !lost && isOpen(spec),
    lost,
    since: changedAt(ready?.lastTransitionTime, now),
  };
};

const isOpen = (spec: Node['spec']): boolean => spec?.unschedulable !== true && !(spec?.taints ?? []).some(isRepelling);

const changedAt = (timestamp: string | undefined, now: number): number => {
  const at = Date.parse(timestamp ?? '');
  return Number.isNaN(at) ? now : Math.min(at, now);
};

/** Remembers since when each node is usable or not, also for cordons and for nodes that are gone. */
export class NodeStates {
  readonly #states = new Map<string, NodeState>();

  /** Takes the nodes that exist now; returns the names of those that changed. */
  update(nodes: readonly Node[], now: number): string[] {
    const changed: string[] = [];
    const present = new Set<string>();
    for (const node of nodes) {
      const state = readNode(node, now);
      present.add(state.name);
      const before = this.#states.get(state.name);
      if (before?.usable === state.usable && before.lost === state.lost) {
        this.#states.set(state.name, { ...state, since: before.since });
        continue;
      }
      this.#states.set(state.name, before === undefined ? state : { ...state, since: now });
      changed.push(state.name);
    }
    for (const state of this.#states.values()) {
      if (present.has(state.name) || (state.lost && !state.usable)) continue;
      this.#states.set(state.name, { ...state, usable: false, lost: true, since: now });
      changed.push(state.name);
    }
    return changed;
  }

  get(name: string): NodeState | undefined {
    return this.#states.get(name);
  }

  all(): NodeState[] {
    return [...this.#states.values()];
  }
}
