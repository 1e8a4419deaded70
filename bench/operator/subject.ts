/**
 * The operator under measurement, in a process of its own: a manager with a controller of one kind and as many caches as
 * the real operator has. Started by main.ts with an IPC channel.
 */
import pino from 'pino';
import { Registry } from 'prom-client';
import { nodes, persistentVolumeClaims, pods, services } from '../../operator/runtime/builtin.ts';
import { connectKube } from '../../operator/runtime/connection.ts';
import { createManager } from '../../operator/runtime/operator-manager.ts';
import { addWidgetController } from '../../operator/runtime/testing/widget-controller.ts';
import type { Reply, Request } from './messages.ts';

const [kubeconfig = '', namespace = ''] = process.argv.slice(2);
const say = (reply: Reply): void => void process.send?.(reply);

const metrics = new Registry();
const client = connectKube({ kubeconfig, metrics });
const manager = createManager({
  client,
  metrics,
  log: pino({ level: 'silent' }),
  identity: `bench-${process.pid}`,
  lease: { namespace, name: 'bench' },
});
manager.cache(pods);
manager.cache(services);
manager.cache(nodes);
manager.cache(persistentVolumeClaims);
let follow = false;
const seen = new Set<string>();
const { controller } = addWidgetController(manager, {
  namespace,
  concurrency: 8,
  before: async (key) => {
    seen.add(key);
    if (follow) say({ type: 'reconcile', key, began: now() });
    return undefined;
  },
});

function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Requests so far: changes, reads, and what the lease needs. */
const count = async (): Promise<{ writes: number; reads: number; lease: number }> => {
  const totals = { writes: 0, reads: 0, lease: 0 };
  for (const { labels, value } of (await metrics.getSingleMetric('rest_client_requests_total')?.get())?.values ?? []) {
    const kind =
      labels['resource'] === 'leases.coordination.k8s.io' ? 'lease' : labels['method'] === 'GET' ? 'reads' : 'writes';
    totals[kind] += value;
  }
  return totals;
};

const figures = async (): Promise<void> => {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const reconciled = seen.size;
  say({
    type: 'figures',
    rss,
    heapUsed,
    cpuMs: (user + system) / 1000,
    idle: controller.idle,
    reconciled,
    ...(await count()),
  });
};

process.on('message', (request: Request) => {
  if (request.type === 'figures') void figures();
  if (request.type === 'follow') follow = request.on;
  if (request.type === 'wake-all') {
    seen.clear();
    controller.wakeAll();
  }
  if (request.type === 'stop') void manager.stop().then(() => process.exit(0));
});
await manager.start();
