import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The runtime's metrics, under the names that controller-runtime and client-go use, so that known dashboards work. */
export type RuntimeMetrics = ReturnType<typeof build>;

const known = new WeakMap<Registry, RuntimeMetrics>();
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The metrics in a registry; made on first use. */
export function runtimeMetrics(registry: Registry = new Registry()): RuntimeMetrics {
  let metrics = known.get(registry);
  if (metrics === undefined) {
    metrics = build(registry);
    known.set(registry, metrics);
  }
  return metrics;
}

function build(registry: Registry) {
  return {
    ...clientMetrics(registry),
    ...queueMetrics(registry),
    ...reconcileMetrics(registry),
    leading: new Gauge({
      name: 'leader_election_master_status',
      help: 'Whether this process holds the lease',
      labelNames: ['name'],
      registers: [registry],
    }),
    relists: new Counter({
      name: 'reflector_lists_total',
      help: 'Full lists made by a cache, by reason',
      labelNames: ['resource', 'reason'],
      registers: [registry],
    }),
    watches: new Counter({
      name: 'reflector_watches_total',
      help: 'Watches of a cache, by how they ended',
      labelNames: ['resource', 'end'],
      registers: [registry],
    }),
    cached: new Gauge({
      name: 'reflector_objects',
      help: 'Objects in a cache',
      labelNames: ['resource'],
      registers: [registry],
    }),
    eventsDropped: new Counter({
      name: 'events_dropped_total',
      help: 'Events not written, by reason',
      labelNames: ['reason'],
      registers: [registry],
    }),
  };
}

function clientMetrics(registry: Registry) {
  return {
    requests: new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server, by status code or error',
      labelNames: ['code', 'method', 'resource'],
      registers: [registry],
    }),
    requestSeconds: new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Time to the last byte of an answer; watches not included',
      labelNames: ['verb'],
      buckets: SECONDS,
      registers: [registry],
    }),
    throttledSeconds: new Counter({
      name: 'rest_client_rate_limiter_seconds_total',
      help: 'Time that requests waited for the client-side rate limit',
      registers: [registry],
    }),
  };
}

function queueMetrics(registry: Registry) {
  const labelNames = ['name'] as const;
  const registers = [registry];
  return {
    depth: new Gauge({ name: 'workqueue_depth', help: 'Keys ready and waiting', labelNames, registers }),
    adds: new Counter({ name: 'workqueue_adds_total', help: 'Keys added', labelNames, registers }),
    retries: new Counter({ name: 'workqueue_retries_total', help: 'Keys added with back-off', labelNames, registers }),
    queueSeconds: new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'Time from ready to worked on',
      labelNames,
      buckets: SECONDS,
      registers,
    }),
    workSeconds: new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'Time of work on a key',
      labelNames,
      buckets: SECONDS,
      registers,
    }),
    longestRunning: new Gauge({
      name: 'workqueue_longest_running_processor_seconds',
      help: 'Age of the oldest work under way',
      labelNames,
      registers,
    }),
    unfinished: new Gauge({
      name: 'workqueue_unfinished_work_seconds',
      help: 'Sum of the ages of work under way',
      labelNames,
      registers,
    }),
  };
}

function reconcileMetrics(registry: Registry) {
  const labelNames = ['controller'] as const;
  const registers = [registry];
  return {
    reconciles: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by result: success, requeue_after, error, terminal, aborted',
      labelNames: ['controller', 'result'],
      registers,
    }),
    reconcileErrors: new Counter({
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed',
      labelNames,
      registers,
    }),
    terminalErrors: new Counter({
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Reconciles that failed for good',
      labelNames,
      registers,
    }),
    panics: new Counter({
      name: 'controller_runtime_reconcile_panics_total',
      help: 'Reconciles that threw something that is no KubeError',
      labelNames,
      registers,
    }),
    timeouts: new Counter({
      name: 'controller_runtime_reconcile_timeouts_total',
      help: 'Reconciles that passed their deadline',
      labelNames,
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Time of a reconcile',
      labelNames,
      buckets: SECONDS,
      registers,
    }),
    activeWorkers: new Gauge({
      name: 'controller_runtime_active_workers',
      help: 'Reconciles under way',
      labelNames,
      registers,
    }),
    maxWorkers: new Gauge({
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Reconciles that may be under way',
      labelNames,
      registers,
    }),
  };
}
