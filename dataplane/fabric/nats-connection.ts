import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Health } from './health.ts';

/**
 * Connects to NATS and stays connected: waits for the first server for ever, reconnects for ever with jitter, notices
 * a silent server within about 6 s. While NATS is away publishes are dropped and requests reject; nothing throws.
 */
export const connectNats = async (url: string, name: string): Promise<NatsConnection> =>
  connect({
    servers: url.split(','),
    name,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 200,
    pingInterval: 3_000,
    maxPingOut: 2,
    timeout: 5_000,
    ignoreAuthErrorAbort: true,
  });

/** Logs what happens to the connection and keeps the readiness check `nats` up to date. Returns when it is closed. */
export const followConnection = async (nats: NatsConnection, health: Health, log: Logger): Promise<void> => {
  health.set('nats', true);
  for await (const status of nats.status()) {
    if (status.type === 'disconnect') {
      health.set('nats', false, 'disconnected from NATS; reconnecting');
      log.warn({ server: status.server }, 'NATS is away; reconnecting');
    } else if (status.type === 'reconnect') {
      health.set('nats', true);
      log.info({ server: status.server }, 'NATS is back');
    } else if (status.type === 'error') {
      log.warn({ err: status.error }, 'NATS reported an error');
    }
  }
};
