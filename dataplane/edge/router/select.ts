import type { Place } from './geo.ts';
import { rendezvous } from './rendezvous.ts';
import { type EdgeView, type Score, scoreEdge, utilisation } from './score.ts';

export const strategies = ['geo-score', 'least-load', 'round-robin'] as const;
export type Strategy = (typeof strategies)[number];

/** Why an edge is not chosen from, or `ok`. */
export type Gate = 'ok' | 'draining' | 'no-endpoint' | 'silent' | 'unreachable' | 'over-load-cap';

export interface Candidate extends EdgeView {
  readonly name: string;
  readonly draining: boolean;
  /** State of the pods of the edge, merged: alive when one is. */
  readonly health: 'alive' | 'silent' | 'unreachable' | 'none';
}

export interface Judged {
  readonly name: string;
  readonly gate: Gate;
  readonly utilisation: number;
  readonly score: Score;
}

/** A choice with everything that led to it: data for people and for tests. */
export interface Decision {
  readonly strategy: Strategy;
  /** Names in the order in which they should be tried. */
  readonly order: readonly string[];
  readonly reason: string;
  /** Utilisation above which an edge is left out while others are not. */
  readonly loadCap: number;
  readonly candidates: readonly Judged[];
}

export interface SelectionInput {
  readonly candidates: readonly Candidate[];
  readonly client: Place | undefined;
  readonly strategy: Strategy;
  /** The edge that this client's network had last; it keeps it unless another is clearly better. */
  readonly previous: string | undefined;
  /** Cache key of the object that is asked for. */
  readonly key: string;
  /** Counts requests, for round-robin. */
  readonly turn: number;
}

/** A new edge has to be better than the last by this much. */
export const hysteresis = 0.05;
/** Bounded load: nobody takes more than this times the mean … */
const capFactor = 1.25;
/** … but below this utilisation there is no need to spread. */
const capFloor = 0.5;

/** The bound on utilisation, from what the healthy edges carry now (bounded-load balancing). */
export function loadCap(utilisations: readonly number[]): number {
  if (utilisations.length === 0) return 1;
  const mean = utilisations.reduce((sum, one) => sum + one, 0) / utilisations.length;
  return Math.min(1, Math.max(capFloor, capFactor * mean));
}

const healthGates: Readonly<Record<Candidate['health'], Gate>> = {
  alive: 'ok',
  silent: 'silent',
  unreachable: 'unreachable',
  none: 'no-endpoint',
};

function gates(candidates: readonly Candidate[]): { gates: Gate[]; cap: number } {
  const base = candidates.map((candidate): Gate => (candidate.draining ? 'draining' : healthGates[candidate.health]));
  // When every edge falls silent at once, it is the router that hears nothing: connections will tell.
  const allSilent = !base.includes('ok') && base.includes('silent');
  const heard = base.map((gate): Gate => (allSilent && gate === 'silent' ? 'ok' : gate));
  const loads = candidates.map(utilisation);
  const cap = loadCap(loads.filter((_, i) => heard[i] === 'ok'));
  const capped = heard.map((gate, i): Gate => (gate === 'ok' && (loads[i] ?? 0) > cap ? 'over-load-cap' : gate));
  return { gates: capped.includes('ok') ? capped : heard, cap };
}

function orderBy(strategy: Strategy, open: readonly Judged[], turn: number): Judged[] {
  if (strategy === 'round-robin') {
    const at = open.length === 0 ? 0 : turn % open.length;
    return [...open.slice(at), ...open.slice(0, at)];
  }
  const better = (a: Judged, b: Judged): number =>
    strategy === 'least-load' ? a.utilisation - b.utilisation : b.score.total - a.score.total;
  return [...open].sort((a, b) => better(a, b) || (a.name < b.name ? -1 : 1));
}

function settle(order: readonly Judged[], input: SelectionInput): { order: readonly Judged[]; reason: string } {
  const [best] = order;
  if (best === undefined) return { order, reason: 'no edge can take requests' };
  if (input.strategy === 'geo-score' && input.client === undefined) {
    // Scores without a place are noise, and each router's noise differs: all routers keep an object at one edge instead.
    const byObject = rendezvous(input.key, order, (judged) => judged.name);
    return {
      order: byObject,
      reason: `the client's place is not known; ${byObject[0]?.name} is the edge of this object`,
    };
  }
  if (input.strategy !== 'geo-score') return { order, reason: `${input.strategy} chose ${best.name}` };
  const kept = order.find((judged) => judged.name === input.previous);
  if (kept === undefined || kept === best) return { order, reason: `${best.name} has the best score` };
  if (best.score.total - kept.score.total >= hysteresis) {
    return { order, reason: `${best.name} is better than ${kept.name}, the last, by ${hysteresis} or more` };
  }
  return {
    order: [kept, ...order.filter((judged) => judged !== kept)],
    reason: `${kept.name} was the last and ${best.name} is not better by ${hysteresis}`,
  };
}

/** Chooses edges for a client: health gate, score, load cap, hysteresis. Pure. */
export function selectEdges(input: SelectionInput): Decision {
  const { gates: gate, cap } = gates(input.candidates);
  const judged = input.candidates.map((candidate, i): Judged => ({
    name: candidate.name,
    gate: gate[i] ?? 'no-endpoint',
    utilisation: utilisation(candidate),
    score: scoreEdge(candidate, input.client),
  }));
  const open = judged.filter((one) => one.gate === 'ok');
  const settled = settle(orderBy(input.strategy, open, input.turn), input);
  // Over the cap is still better than no answer.
  const spare = orderBy(
    'least-load',
    judged.filter((one) => one.gate === 'over-load-cap'),
    0,
  );
  return {
    strategy: input.strategy,
    order: [...settled.order, ...spare].map((one) => one.name),
    reason: settled.reason,
    loadCap: cap,
    candidates: judged,
  };
}
