import { Counter, Gauge } from 'prom-client';
import type { Pod } from '../../fabric/pod.ts';
import type { FrontEnd } from '../front/front-end.ts';
import type { Router } from './router.ts';

/** Figures of a front end: at /metrics, and as load in heartbeats. */
export const exportMetrics = (pod: Pod, frontEnd: FrontEnd, router: Router): void => {
  const registers = [pod.metrics];
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    void new Gauge({ name, help, registers, collect });
  };
  gauge('quartet_db_connections', 'Connected RESP clients.', () => frontEnd.connections);
  gauge('quartet_db_pending_requests', 'Requests that wait for a shard.', () => router.pending);
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
