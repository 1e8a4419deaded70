import type { EdgeNodeEntry } from '../../../contract/directory.ts';
import { suspectAfterMs } from '../../../contract/heartbeat.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { contentClassOfPath, policyFor } from '../policy/content-policy.ts';
import type { LiveLoad } from './score.ts';
import type { Candidate } from './select.ts';

export interface Endpoint {
  readonly pod: string;
  /** http://host:port */
  readonly url: string;
}

/** How long a pod is left alone after a failed connection (ms): until its heartbeats tell, or it answers again. */
const restMs = 1_000;
/** Weight of a new measurement. */
const smoothing = 0.2;

/** How long a pod that left the directory is still taken for an endpoint without a heartbeat (ms). */
const lingerMs = 5_000;

/** An endpoint that the directory named once. */
interface Known extends Endpoint {
  readonly edge: string;
  readonly listedAt: number;
}

/** What the router knows of the edges: the directory, their heartbeats, and how its own requests to them went. */
export class Fleet {
  private readonly entries: () => ReadonlyMap<string, EdgeNodeEntry>;
  private readonly heartbeats: Pick<Heartbeats, 'get' | 'alive'>;
  private readonly failedAt = new Map<string, number>();
  private readonly measured = new Map<string, number>();
  private readonly stalledMs: () => number;
  private readonly known = new Map<string, Known>();

  /** @param stalledMs how long this process itself stood still just now: heartbeats wait unread for that long */
  constructor(
    entries: () => ReadonlyMap<string, EdgeNodeEntry>,
    heartbeats: Pick<Heartbeats, 'get' | 'alive'>,
    stalledMs: () => number = () => 0,
  ) {
    this.entries = entries;
    this.heartbeats = heartbeats;
    this.stalledMs = stalledMs;
    this.follow();
  }

  /** The edges as candidates for a request to this path. */
  candidates(path: string, now: number): Candidate[] {
    const content = contentClassOfPath(path);
    return [...this.entries().values()].map((entry) => ({
      name: entry.name,
      draining: entry.draining,
      health: this.healthOf(entry, now),
      place: { latitude: entry.latitude, longitude: entry.longitude },
      capacity: scaled(entry.capacity, Math.max(1, entry.endpoints.length)),
      load: this.loadOf(entry),
      measuredMs: this.measuredOf(entry),
      priority: entry.cache.policies.length === 0 ? undefined : policyFor(entry.cache.policies, content).priority,
    }));
  }

  /** Pods of an edge that may be tried now: those that are heard, else those that did not just fail. */
  endpoints(name: string, now: number): Endpoint[] {
    const entry = this.entries().get(name);
    if (entry === undefined) return [];
    const rested = this.endpointsOf(entry).filter((endpoint) => !this.resting(endpoint.pod, now));
    const heard = rested.filter((endpoint) => this.heard(endpoint.pod));
    return heard.length > 0 ? heard : rested;
  }

  /** All pods that are endpoints now. */
  allEndpoints(): (Endpoint & { readonly edge: string })[] {
    return [...this.entries().values()].flatMap((entry) =>
      this.endpointsOf(entry).map(({ pod, url }) => ({ pod, url, edge: entry.name })),
    );
  }

  failed(pod: string, now: number): void {
    this.failedAt.set(pod, now);
  }

  answered(pod: string, ms: number): void {
    this.failedAt.delete(pod);
    const before = this.measured.get(pod);
    this.measured.set(pod, before === undefined ? ms : before + smoothing * (ms - before));
  }

  /** Takes note of a change of the directory. */
  follow(): void {
    const now = performance.now();
    for (const entry of this.entries().values()) {
      for (const { pod, url } of entry.endpoints) this.known.set(pod, { pod, url, edge: entry.name, listedAt: now });
    }
    for (const [pod, endpoint] of this.known) {
      if (this.entries().has(endpoint.edge) && (now - endpoint.listedAt < lingerMs || this.heard(pod))) continue;
      for (const about of [this.known, this.failedAt, this.measured]) about.delete(pod);
    }
  }

  /**
   * The endpoints of an edge: those in the directory, and those that left it but are heard. A pod that lost NATS for a
   * moment is not ready, so the operator takes it out; its heartbeats are the better witness.
   */
  private endpointsOf(entry: EdgeNodeEntry): readonly Endpoint[] {
    const listed = new Set(entry.endpoints.map(({ pod }) => pod));
    const now = performance.now();
    const others = [...this.known.values()].filter(
      ({ pod, edge, listedAt }) =>
        edge === entry.name && !listed.has(pod) && (this.heard(pod) || now - listedAt < lingerMs),
    );
    return others.length === 0 ? entry.endpoints : [...entry.endpoints, ...others];
  }

  private heard(pod: string): boolean {
    return this.heartbeats.alive(pod, suspectAfterMs + this.stalledMs());
  }

  private resting(pod: string, now: number): boolean {
    const at = this.failedAt.get(pod);
    return at !== undefined && now - at < restMs;
  }

  private healthOf(entry: EdgeNodeEntry, now: number): Candidate['health'] {
    const endpoints = this.endpointsOf(entry);
    if (endpoints.length === 0) return 'none';
    const rested = endpoints.filter((endpoint) => !this.resting(endpoint.pod, now));
    if (rested.length === 0) return 'unreachable';
    return rested.some((endpoint) => this.heard(endpoint.pod)) ? 'alive' : 'silent';
  }

  private loadOf(entry: EdgeNodeEntry): LiveLoad | undefined {
    const loads = this.endpointsOf(entry)
      .map((endpoint) => this.heartbeats.get(endpoint.pod)?.beat.edge)
      .filter((load) => load !== undefined);
    if (loads.length === 0) return undefined;
    const sum = (of: (load: (typeof loads)[number]) => number): number => loads.reduce((t, load) => t + of(load), 0);
    const requestsPerSecond = sum((load) => load.requestsPerSecond);
    return {
      requestsPerSecond,
      mbitPerSecond: sum((load) => load.mbitPerSecond),
      connections: sum((load) => load.connections),
      hitRate: requestsPerSecond === 0 ? 0 : sum((load) => load.hitRate * load.requestsPerSecond) / requestsPerSecond,
    };
  }

  private measuredOf(entry: EdgeNodeEntry): number | undefined {
    const known = entry.endpoints.map(({ pod }) => this.measured.get(pod)).filter((ms) => ms !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }
}

/** Capacity is given for one replica. */
const scaled = (capacity: EdgeNodeEntry['capacity'], replicas: number): EdgeNodeEntry['capacity'] => ({
  bandwidthMbit: capacity.bandwidthMbit * replicas,
  storageBytes: capacity.storageBytes * replicas,
  connections: capacity.connections * replicas,
});
