import type { EdgeNodeEntry } from '../../contract/directory.ts';
import { servicePorts } from '../../contract/pod-env.ts';
import { durationMs } from '../../crds/duration.ts';
import type { EdgeNodeSpec, EdgeNodeStatus } from '../../crds/edge-node.ts';
import { quantityBytes } from '../../crds/quantity.ts';
import { foreignCondition } from '../foreign.ts';
import type { EdgeNode } from '../kinds.ts';
import type { NatsState } from '../nats-link.ts';
import { labels, managedBy, podSpec, shortTolerations } from '../pod-template.ts';
import { isNoticeable } from '../replica-set/figures.ts';
import type { Deployment, PodDisruptionBudget } from '../runtime/builtin.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import type { Settings } from '../settings.ts';

/** One pod of an edge. */
export interface EdgePod {
  readonly pod: string;
  readonly ip: string;
  readonly ready: boolean;
  /** From its heartbeat; null while silent. */
  readonly load: { readonly requestsPerSecond: number; readonly hitRate: number } | null;
}

export interface EdgeNodeObserved {
  readonly edge: EdgeNode;
  readonly nats: NatsState;
  readonly pods: readonly EdgePod[];
  /** Address of a Service by name; null when it does not exist. */
  readonly serviceAddress: (name: string) => string | null;
  /** Available pods of the edge router. */
  readonly routers: number;
  readonly foreign: readonly string[];
  readonly figuresSinceMs: number;
}

export interface EdgeNodePlan {
  /** Null: leave the directory as it is. */
  readonly entry: EdgeNodeEntry | null;
  readonly status: Omit<EdgeNodeStatus, 'conditions'>;
  readonly conditions: readonly DesiredCondition[];
  readonly requeueAfterMs?: number | undefined;
}

const unfitRetryMs = 60_000;
const figuresIntervalMs = 10_000;

/** The labels of an edge's pods. */
export const edgeLabels = (name: string) => ({ [labels.name]: 'quartet-edge', [labels.instance]: name });

/** The Deployment of an edge. */
export const edgeDeployment = ({ metadata, spec }: EdgeNode, settings: Settings): Deployment => {
  const own = { ...edgeLabels(metadata.name), [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' };
  const shape = {
    role: 'edge',
    resource: metadata.name,
    port: servicePorts.edge,
    cpu: spec.capacity.cpu,
    memory: spec.capacity.memory,
    graceSeconds: 20,
    leaveSeconds: 4,
  } as const;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `edge-${metadata.name}`, namespace: metadata.namespace ?? '', labels: own },
    spec: {
      replicas: spec.replicas,
      selector: { matchLabels: edgeLabels(metadata.name) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: own },
        spec: {
          ...podSpec(shape, settings),
          tolerations: shortTolerations,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { [labels.name]: 'quartet-edge' } },
            },
          ],
        },
      },
    },
  };
};

/** Voluntary disruptions take one pod of an edge at a time. */
export const edgeBudget = ({ metadata }: EdgeNode): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: {
    name: `edge-${metadata.name}`,
    namespace: metadata.namespace ?? '',
    labels: { ...edgeLabels(metadata.name), [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' },
  },
  spec: { maxUnavailable: 1, selector: { matchLabels: edgeLabels(metadata.name) } },
});

type Origins = { readonly origins: EdgeNodeEntry['origins']; readonly missing: readonly string[] };

const resolveOrigins = (spec: EdgeNodeSpec, serviceAddress: EdgeNodeObserved['serviceAddress']): Origins => {
  const origins: EdgeNodeEntry['origins'] = [];
  const missing: string[] = [];
  for (const { hosts, url, service } of spec.origins) {
    if (url !== undefined) origins.push({ hosts: [...hosts], url });
    if (service === undefined) continue;
    const address = serviceAddress(service.name);
    if (address === null) missing.push(service.name);
    else origins.push({ hosts: [...hosts], url: `http://${address}:${service.port}` });
  }
  return { origins, missing };
};

/** The routing document of an edge. */
export const edgeNodeEntry = (
  { metadata, spec }: EdgeNode,
  origins: EdgeNodeEntry['origins'],
  pods: readonly EdgePod[],
): EdgeNodeEntry => {
  const [latitude = 0, longitude = 0] = spec.coordinates.split(',').map(Number);
  return {
    kind: 'edge',
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    location: { ...spec.location },
    latitude,
    longitude,
    capacity: {
      bandwidthMbit: spec.capacity.bandwidthMbit,
      storageBytes: quantityBytes(spec.capacity.storage),
      connections: spec.capacity.connections,
    },
    cache: {
      memoryBytes: quantityBytes(spec.cache.memory),
      defaultTtl: spec.cache.defaultTtl,
      policies: spec.cache.policies.map(({ contentType, ttl, maxObjectSize, priority }) => ({
        contentType,
        ttlSeconds: Math.round(durationMs(ttl) / 1000),
        maxObjectBytes: quantityBytes(maxObjectSize),
        priority,
      })),
    },
    origins,
    draining: spec.drain || metadata.deletionTimestamp !== undefined,
    endpoints: pods
      .filter(({ ready, ip }) => ready && ip !== '')
      .map(({ pod, ip }) => ({ pod, url: `http://${ip}:${servicePorts.edge}` }))
      .sort((a, b) => (a.pod < b.pod ? -1 : 1)),
  };
};

const ready = (observed: EdgeNodeObserved, missing: readonly string[], readyPods: number): DesiredCondition => {
  const { nats, edge, routers } = observed;
  const no = (reason: string, message: string): DesiredCondition => ({ type: 'Ready', status: false, reason, message });
  if (nats.state === 'unfit') return no('MessagingUnfit', nats.problem);
  if (nats.state === 'away') return no('MessagingUnavailable', nats.problem);
  if (missing.length > 0) return no('OriginMissing', `there is no Service ${missing.join(', ')} with a cluster IP`);
  if (edge.spec.replicas === 0) return no('ScaledToZero', 'replicas is 0');
  if (readyPods === 0) return no('NoPodReady', 'no pod of the edge is ready');
  if (routers === 0) return no('GatewayUnavailable', 'no edge-router pod is available');
  if (edge.spec.drain)
    return { type: 'Ready', status: true, reason: 'Draining', message: 'no new clients are sent here' };
  return { type: 'Ready', status: true, reason: 'Serving', message: `${readyPods} pods serve` };
};

const conditionsOf = (
  observed: EdgeNodeObserved,
  missing: readonly string[],
  readyPods: number,
): DesiredCondition[] => {
  const { edge, foreign } = observed;
  const short = readyPods < edge.spec.replicas;
  const message = short ? `${readyPods} of ${edge.spec.replicas} pods are ready` : '';
  const own: DesiredCondition[] = [
    ready(observed, missing, readyPods),
    { type: 'Progressing', status: short, reason: short ? 'Reconciling' : 'Settled', message },
    { type: 'Degraded', status: short, reason: short ? 'PodsMissing' : 'AsDesired', message },
  ];
  return [...own, ...foreignCondition(foreign)];
};

const measure = (pods: readonly EdgePod[]): { rate: number; percent: number } => {
  const loads = pods.flatMap(({ load }) => (load === null ? [] : [load]));
  const rate = loads.reduce((sum, load) => sum + load.requestsPerSecond, 0);
  const hits = loads.reduce((sum, load) => sum + load.requestsPerSecond * load.hitRate, 0);
  const plain = loads.reduce((sum, load) => sum + load.hitRate, 0) / Math.max(1, loads.length);
  return { rate: Math.round(rate), percent: Math.round(100 * (rate > 0 ? hits / rate : plain)) };
};

const figuresOf = ({ edge, pods, figuresSinceMs }: EdgeNodeObserved) => {
  const { rate, percent } = measure(pods);
  const held = edge.status;
  const next = { requestsPerSecond: rate, hitRatio: `${percent}%` };
  if (held?.requestsPerSecond === undefined || held.hitRatio === undefined) return next;
  const moved = isNoticeable(held.requestsPerSecond, rate) || isNoticeable(Number.parseInt(held.hitRatio, 10), percent);
  if (moved && figuresSinceMs >= figuresIntervalMs) return next;
  return { requestsPerSecond: held.requestsPerSecond, hitRatio: held.hitRatio };
};

/** Decides all about one EdgeNode: its document, and its status. Its Deployment follows from the spec alone. */
export const planEdgeNode = (observed: EdgeNodeObserved): EdgeNodePlan => {
  const { edge, nats, pods, serviceAddress } = observed;
  const { origins, missing } = resolveOrigins(edge.spec, serviceAddress);
  const entry = edgeNodeEntry(edge, origins, pods);
  const readyPods = pods.filter((pod) => pod.ready).length;
  return {
    entry: nats.state === 'ok' ? entry : null,
    status: {
      ...(edge.metadata.generation === undefined ? {} : { observedGeneration: edge.metadata.generation }),
      replicas: pods.length,
      readyReplicas: readyPods,
      selector: Object.entries(edgeLabels(edge.metadata.name))
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
      endpoints: entry.endpoints.map(({ url }) => url),
      ...figuresOf(observed),
    },
    conditions: conditionsOf(observed, missing, readyPods),
    requeueAfterMs: nats.state === 'unfit' ? unfitRetryMs : undefined,
  };
};
