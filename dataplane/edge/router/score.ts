import { distanceKm, type Place } from './geo.ts';

/** Live load of an edge, from heartbeats. */
export interface LiveLoad {
  readonly mbitPerSecond: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
  /** 0..1 */
  readonly hitRate: number;
}

/** An edge, as the score sees it. */
export interface EdgeView {
  readonly place: Place;
  readonly capacity: {
    readonly bandwidthMbit: number;
    readonly storageBytes: number;
    readonly connections: number;
  };
  /** Undefined before the first heartbeat. */
  readonly load: LiveLoad | undefined;
  /** Time to the first byte that the router measured, smoothed (ms); undefined before the first answer. */
  readonly measuredMs: number | undefined;
  /** Priority 1..10 of the requested content in the edge's policy table; undefined when it has none. */
  readonly priority: number | undefined;
}

export type Term = 'proximity' | 'latency' | 'capacity' | 'hitRate' | 'affinity';

/** Weights of the requirements, section 1. They sum to 1. */
export const weights: Readonly<Record<Term, number>> = {
  proximity: 0.3,
  latency: 0.3,
  capacity: 0.2,
  hitRate: 0.1,
  affinity: 0.1,
};

/** A score and what it is made of: each term is within 0..1, so the total is. */
export interface Score {
  readonly total: number;
  readonly terms: Readonly<Record<Term, number>>;
  /** Undefined when the client's place is not known. */
  readonly distanceKm: number | undefined;
  /** The latency that was judged (ms); undefined when nothing is known. */
  readonly latencyMs: number | undefined;
}

/** Distance at which the proximity term is a half: about the size of a country. */
const halfDistanceKm = 1000;
/** Latency at which the latency term is a half. */
const halfLatencyMs = 100;
/** Estimate of the requirements: 0.1 ms a km, times 1.5 for the detours of real routes. */
const estimateMsPerKm = 0.1 * 1.5;
/** Share of the measurement in the latency, the rest is the estimate. */
const measuredShare = 0.5;
/** A term of which nothing is known neither helps nor harms. */
const unknown = 0.5;

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** 1 at zero, a half at `half`, towards 0 beyond: falls all the way and never reaches infinity or nothing. */
const falling = (value: number, half: number): number => half / (half + Math.max(0, value));

/** The requirements' estimate blended with what the router measured; either alone when the other is missing. */
export function blendedLatencyMs(km: number | undefined, measuredMs: number | undefined): number | undefined {
  const estimate = km === undefined ? undefined : km * estimateMsPerKm;
  if (estimate === undefined) return measuredMs;
  return measuredMs === undefined ? estimate : measuredShare * measuredMs + (1 - measuredShare) * estimate;
}

/** Share of a limit that is free. */
const free = (used: number, limit: number): number => (limit <= 0 ? 0 : clamp(1 - used / limit));

/**
 * Mean of bandwidth/1000 Mbit/s, storage/1000 GB and connections/10000, each at most 1; bandwidth and connections count
 * as far as they are free now.
 */
export function capacityTerm(edge: EdgeView): number {
  const { bandwidthMbit, storageBytes, connections } = edge.capacity;
  const load = edge.load ?? { mbitPerSecond: 0, connections: 0 };
  const bandwidth = clamp(bandwidthMbit / 1000) * free(load.mbitPerSecond, bandwidthMbit);
  const storage = clamp(storageBytes / 1e12);
  const slots = clamp(connections / 10_000) * free(load.connections, connections);
  return (bandwidth + storage + slots) / 3;
}

/** Requests after which a hit rate outweighs not knowing: the first misses of an idle edge say little. */
const priorRequests = 20;
/** Seconds that a load report covers. */
const reportSeconds = 5;

function hitRateTerm(load: LiveLoad | undefined): number {
  if (load === undefined) return unknown;
  const requests = load.requestsPerSecond * reportSeconds;
  return clamp((load.hitRate * requests + unknown * priorRequests) / (requests + priorRequests));
}

/** How well an edge suits a client: higher is better, 0..1. Health is no matter of degree and decided before. */
export function scoreEdge(edge: EdgeView, client: Place | undefined): Score {
  const km = client === undefined ? undefined : distanceKm(client, edge.place);
  const latencyMs = blendedLatencyMs(km, edge.measuredMs);
  const terms: Record<Term, number> = {
    proximity: km === undefined ? unknown : falling(km, halfDistanceKm),
    latency: latencyMs === undefined ? unknown : falling(latencyMs, halfLatencyMs),
    capacity: capacityTerm(edge),
    hitRate: hitRateTerm(edge.load),
    affinity: edge.priority === undefined ? unknown : clamp(edge.priority / 10),
  };
  let total = 0;
  for (const term of Object.keys(weights) as Term[]) total += weights[term] * terms[term];
  return { total, terms, distanceKm: km, latencyMs };
}

/** Share of an edge's tightest limit that is in use, 0..1. */
export function utilisation(edge: Pick<EdgeView, 'capacity' | 'load'>): number {
  if (edge.load === undefined) return 0;
  const bandwidth = 1 - free(edge.load.mbitPerSecond, edge.capacity.bandwidthMbit);
  return Math.max(bandwidth, 1 - free(edge.load.connections, edge.capacity.connections));
}
