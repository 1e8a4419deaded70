import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Figures of a gateway, served at /metrics. */
export interface ChatMetrics {
  readonly connections: Gauge;
  readonly rooms: Gauge;
  readonly commands: Counter<'method' | 'outcome'>;
  readonly disconnects: Counter<'code'>;
  readonly publishSeconds: Histogram;
}

export const chatMetrics = (registry: Registry): ChatMetrics => ({
  connections: new Gauge({ name: 'quartet_chat_connections', help: 'Open connections', registers: [registry] }),
  rooms: new Gauge({ name: 'quartet_chat_live_rooms', help: 'Rooms with a live subscription', registers: [registry] }),
  commands: new Counter({
    name: 'quartet_chat_commands_total',
    help: 'Commands of clients by method and outcome (ok or the error code)',
    labelNames: ['method', 'outcome'],
    registers: [registry],
  }),
  disconnects: new Counter({
    name: 'quartet_chat_disconnects_total',
    help: 'Connections closed by this gateway, by code',
    labelNames: ['code'],
    registers: [registry],
  }),
  publishSeconds: new Histogram({
    name: 'quartet_chat_publish_seconds',
    help: 'Time until a message was stored',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers: [registry],
  }),
});
