import { Counter, Gauge, Histogram } from 'prom-client';
import type { Pod } from '../../fabric/pod.ts';
import type { FrontEnd } from '../front/front-end.ts';
import { CommandLatencies } from './command-metrics.ts';
import type { Router } from './router.ts';

/** Figures of a front end: at /metrics, and as load in heartbeats. */
export const exportMetrics = (pod: Pick<Pod, 'metrics' | 'heartbeat'>, frontEnd: FrontEnd, router: Router): void => {
  const registers = [pod.metrics];
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    void new Gauge({ name, help, registers, collect });
  };
  gauge('quartet_db_connections', 'Connected RESP clients.', () => frontEnd.connections);
  gauge('quartet_db_pending_requests', 'Requests that wait for a shard.', () => router.pending);
  const latency = new Histogram({
    name: 'quartet_db_request_seconds',
    help: 'From sending a request to a shard until its reply is here.',
    labelNames: ['kind'],
    buckets: [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 5, 10],
    registers,
  });
  const [reads, writes] = [latency.labels('read'), latency.labels('write')];
  router.observe = (request, ms) => (request.writes ? writes : reads).observe(ms / 1000);
  void new CommandLatencies(pod.metrics, () => frontEnd.server.stats.commands);
  let counted = 0;
  const countCommands = function (this: Counter): void {
    this.inc(frontEnd.commands - counted);
    counted = frontEnd.commands;
  };
  const help = 'RESP commands that were taken.';
  void new Counter({ name: 'quartet_db_commands_total', help, registers, collect: countCommands });
  let [last, lastAt] = [0, performance.now()];
  pod.heartbeat(() => {
    const now = performance.now();
    const requestsPerSecond = ((frontEnd.commands - last) * 1000) / Math.max(1, now - lastAt);
    [last, lastAt] = [frontEnd.commands, now];
    return { load: { connections: frontEnd.connections, requestsPerSecond, pending: router.pending } };
  });
};
