import type { Logger } from 'pino';
import type { Heartbeat } from '../../contract/heartbeat.ts';
import type { Fleet, Occupancy } from '../fleet.ts';
import type { Heartbeats } from '../heartbeats.ts';
import type { NodeStates } from '../nodes.ts';
import type { Improvement } from '../replicas/view.ts';
import type { Budget } from './budget.ts';
import { badlySpread } from './changes.ts';
import { decide, type Decision } from './decide.ts';
import type { FleetSet, FleetView, SetFigures } from './fleet-view.ts';
import { Imbalance, type Amounts } from './imbalance.ts';
import { SmoothedWork, type Work } from './smoothed.ts';

export interface RebalanceSettings extends Budget {
  readonly enabled: boolean;
  /** Time that figures of work are a mean of, ms. */
  readonly overMs: number;
}

export interface RebalancerParts {
  readonly settings: RebalanceSettings;
  readonly fleet: Pick<Fleet, 'all' | 'loads'>;
  readonly nodes: Pick<NodeStates, 'all'>;
  readonly heartbeats: Pick<Heartbeats, 'get' | 'evidence'>;
  readonly log: Pick<Logger, 'info'>;
  /** ms since the epoch. */
  readonly now?: () => number;
}

/** A set that does not take a proposal up within this time does not want it. */
const proposalMs = 10_000;
/** Sets that could be spread better are woken this often. */
const spreadIntervalMs = 15_000;

const figure = (beat: { readonly load: Readonly<Record<string, number>> } | undefined, name: string): number =>
  beat?.load[name] ?? 0;

/**
 * Watches what nodes carry, and proposes one change after another to the set that it is about, which looks at it again
 * and carries it out. What it remembers may be lost: an operator that starts anew watches for a while before it proposes.
 */
export class Rebalancer {
  readonly #parts: RebalancerParts;
  readonly #work: SmoothedWork;
  readonly #now: () => number;
  #proposal: { readonly decision: Decision; readonly at: number } | null = null;
  #ledAt = Number.NEGATIVE_INFINITY;
  #spreadAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RebalancerParts) {
    this.#parts = parts;
    this.#work = new SmoothedWork(parts.settings.overMs);
    this.#now = parts.now ?? Date.now;
  }

  /** How often {@link look} is to be called, ms. */
  get intervalMs(): number {
    return Math.min(5_000, Math.max(100, this.#parts.settings.overMs / 8));
  }

  /** What a set may do for balance, if anything; it is named until it is done, or not wanted. */
  improvementFor(set: string): Improvement | null {
    const proposal = this.#pending();
    if (proposal?.set !== set) return null;
    const { type, pod, to, why } = proposal;
    return type === 'lead' ? { type, pod, why } : { type, pod, to, why };
  }

  /** What nodes carry now. */
  loads(): ReadonlyMap<string, Amounts> {
    return new Imbalance(this.#view()).loads;
  }

  /** Looks at the fleet. @param isComplete false: there are sets of which nothing was seen yet. Answers keys of sets to be woken. */
  look(isComplete: boolean): readonly string[] {
    const { fleet, heartbeats, settings, log } = this.#parts;
    for (const [key, occupancy] of fleet.all()) this.#watch(key, occupancy);
    this.#work.keep(new Set(fleet.all().keys()));
    if (!isComplete || heartbeats.evidence() !== 'sound') return [];
    const view = this.#view();
    const unsafe = this.#unsafe(view);
    if (!settings.enabled || this.#pending() !== null || unsafe.length > 0) return unsafe;
    const decision = decide(view, settings);
    if (decision === null) return [];
    log.info({ decision }, 'proposed for balance');
    this.#proposal = { decision, at: this.#now() };
    if (decision.type === 'lead') this.#ledAt = this.#now();
    return [decision.set];
  }

  #unsafe(view: FleetView): readonly string[] {
    if (this.#now() - this.#spreadAt < spreadIntervalMs) return [];
    this.#spreadAt = this.#now();
    return badlySpread(view).map(({ key }) => key);
  }

  /** The proposal that is still to be taken up. */
  #pending(): Decision | null {
    const { decision, at } = this.#proposal ?? { decision: null, at: 0 };
    if (decision === null || this.#now() - at >= proposalMs) return null;
    const standing = this.#parts.fleet.all().get(decision.set)?.standing;
    const isDone = decision.type === 'lead' ? standing?.leader === decision.pod : standing?.move !== null;
    return standing === undefined || isDone ? null : decision;
  }

  #beat(key: string, pod: string) {
    const [, namespace = ''] = key.split('/');
    return this.#parts.heartbeats.get(namespace, pod);
  }

  #watch(key: string, { standing }: Occupancy): void {
    if (standing === undefined || standing.leader === null || !standing.settled) return;
    const workOf = (pod: string): number => {
      const beat = this.#beat(key, pod)?.beat;
      return figure(beat, 'requestsPerSecond') + figure(beat, 'writesPerSecond');
    };
    const followers = standing.seats.filter(({ pod }) => pod !== standing.leader).map(({ pod }) => workOf(pod));
    const follower = followers.length === 0 ? 0 : followers.reduce((sum, work) => sum + work, 0) / followers.length;
    this.#work.take(key, { leader: workOf(standing.leader), follower }, this.#now());
  }

  #view(): FleetView {
    const { fleet, nodes } = this.#parts;
    const now = this.#now();
    const loads = fleet.loads();
    return {
      nodes: nodes
        .all()
        .filter(({ lost, name }) => !lost || loads.has(name))
        .map(({ name, zone, usable, since }) => ({
          name,
          zone,
          usable,
          steadyForMs: usable ? now - since : 0,
          rebuilding: loads.get(name)?.rebuilding ?? 0,
        })),
      sets: [...fleet.all()].flatMap(([key, occupancy]) => this.#setView(key, occupancy) ?? []),
      sinceLeadMs: now - this.#ledAt,
    };
  }

  #setView(key: string, { standing, rebuildingNodes }: Occupancy): FleetSet | undefined {
    if (standing === undefined) return undefined;
    const { seats, leader, settled, move, lastMove } = standing;
    const led = leader === null ? undefined : this.#beat(key, leader);
    return {
      key,
      seats,
      leader,
      // times of heartbeats are monotonic
      leadsForMs: led === undefined ? 0 : performance.now() - led.stateSince,
      settled,
      busy: move !== null || rebuildingNodes.length > 0,
      figures: figuresOf(led?.beat, this.#work.of(key, this.#now())),
      lastMove: lastMove && { agoMs: this.#now() - lastMove.ended, bytes: lastMove.bytes },
      movingBytes: move?.bytes ?? 0,
    };
  }
}

const figuresOf = (beat: Heartbeat | undefined, work: Work | null): SetFigures | null => {
  const bytes = beat?.replica?.figures['bytes'];
  return bytes === undefined || work === null ? null : { bytes, leaderWork: work.leader, followerWork: work.follower };
};
