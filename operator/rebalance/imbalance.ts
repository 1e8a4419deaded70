import type { FleetSet, FleetView, SetFigures } from './fleet-view.ts';

/** What a node carries. */
export interface Amounts {
  readonly replicas: number;
  readonly primaries: number;
  readonly bytes: number;
  /** Reads and writes a second. */
  readonly work: number;
}

export type Measure = keyof Amounts;
export const measures = ['replicas', 'primaries', 'bytes', 'work'] as const satisfies readonly Measure[];

/** What would change on a node. */
export interface Shift extends Partial<Amounts> {
  readonly node: string;
}

/** Below this average over nodes a measure weighs less: nobody is moved for a few keys, or a few requests. */
const least: Amounts = { replicas: 1, primaries: 1, bytes: 2 ** 30, work: 100 };
/** What a measure weighs: a replica or a primary that does and stores nothing is not much of a burden. */
const weights: Amounts = { replicas: 0.25, primaries: 0.25, bytes: 1, work: 1 };
const nothing: Amounts = { replicas: 0, primaries: 0, bytes: 0, work: 0 };
const unknown: SetFigures = { bytes: 0, leaderWork: 0, followerWork: 0 };

export const figuresOf = (set: FleetSet): SetFigures => set.figures ?? unknown;

const plus = (a: Amounts, b: Partial<Amounts>): Amounts => ({
  replicas: a.replicas + (b.replicas ?? 0),
  primaries: a.primaries + (b.primaries ?? 0),
  bytes: a.bytes + (b.bytes ?? 0),
  work: a.work + (b.work ?? 0),
});

/**
 * How unevenly the fleet carries what it has: the sum over nodes and measures of the square of what the node carries, in
 * units of the average node, by the weight of the measure. Every change for balance lowers it by a clear margin, so changes end, and none
 * is undone while the figures stay as they are.
 */
export class Imbalance {
  readonly #loads = new Map<string, Amounts>();
  readonly #average: Amounts;
  readonly #total: Amounts;

  constructor({ nodes, sets }: FleetView) {
    for (const { name } of nodes) this.#loads.set(name, nothing);
    for (const set of sets) this.#add(set);
    const total = [...this.#loads.values()].reduce<Amounts>(plus, nothing);
    const count = Math.max(1, nodes.filter(({ usable }) => usable).length);
    const average = (measure: Measure): number => Math.max(least[measure], total[measure] / count);
    this.#total = total;
    this.#average = {
      replicas: average('replicas'),
      primaries: average('primaries'),
      bytes: average('bytes'),
      work: average('work'),
    };
  }

  #add(set: FleetSet): void {
    const { bytes, leaderWork, followerWork } = figuresOf(set);
    for (const { pod, node } of set.seats) {
      const leads = pod === set.leader;
      const own = { replicas: 1, primaries: Number(leads), bytes, work: leads ? leaderWork : followerWork };
      this.#loads.set(node, plus(this.of(node), own));
    }
  }

  /** What a node carries. */
  of(node: string): Amounts {
    return this.#loads.get(node) ?? nothing;
  }

  get loads(): ReadonlyMap<string, Amounts> {
    return this.#loads;
  }

  /** What a node carries of all that there is, 0..1. */
  share(node: string, measure: Measure): number {
    return this.#total[measure] === 0 ? 0 : this.of(node)[measure] / this.#total[measure];
  }

  /** The whole of it. */
  get value(): number {
    const squares = (measure: Measure): number =>
      [...this.#loads.values()].reduce((sum, load) => sum + (load[measure] / this.#average[measure]) ** 2, 0);
    return measures.reduce((sum, measure) => sum + weights[measure] * squares(measure), 0);
  }

  /** How much lower it would be after a change; negative: higher. */
  gain(shifts: readonly Shift[]): number {
    return measures.reduce((sum, measure) => sum + this.gainIn(measure, shifts), 0);
  }

  /** The part of {@link gain} that one measure brings. */
  gainIn(measure: Measure, shifts: readonly Shift[]): number {
    const changes = new Map<string, number>();
    for (const shift of shifts) changes.set(shift.node, (changes.get(shift.node) ?? 0) + (shift[measure] ?? 0));
    const average = this.#average[measure];
    let gain = 0;
    for (const [node, change] of changes) {
      const before = this.of(node)[measure] / average;
      gain += before ** 2 - (before + change / average) ** 2;
    }
    return weights[measure] * gain;
  }
}
