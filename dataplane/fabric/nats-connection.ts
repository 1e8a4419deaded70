import { connect, createInbox, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { inboxPrefix } from '../../contract/permissions.ts';
import type { Health } from './health.ts';

/** How to reach NATS, and as whom. */
export interface NatsAccess {
  /** Servers, separated by commas. */
  readonly url: string;
  /** Absent: NATS asks for no password. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Certificates (PEM) that servers are checked against; with it connections are TLS only. */
  readonly ca?: string;
}

const inboxes = new WeakMap<NatsConnection, string>();

/** A subject for answers to requests on this connection: its user may listen there, and nobody else. */
export const newInbox = (nats: NatsConnection): string => createInbox(inboxes.get(nats));

/**
 * Connects to NATS and stays connected: waits for the first server for ever, reconnects for ever with jitter, notices
 * a silent server within about 6 s. While NATS is away publishes are dropped and requests reject; nothing throws.
 */
export const connectNats = async (access: NatsAccess, name: string): Promise<NatsConnection> => {
  const { user, ca } = access;
  const prefix = user && inboxPrefix(user.name);
  const nats = await connect({
    servers: access.url.split(','),
    name,
    ...(user && { user: user.name, pass: user.password }),
    ...(prefix && { inboxPrefix: prefix }),
    ...(ca !== undefined && { tls: { ca } }),
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 200,
    pingInterval: 3_000,
    maxPingOut: 2,
    timeout: 5_000,
    ignoreAuthErrorAbort: true,
    // else each request keeps a stack trace, in case that it fails
    noAsyncTraces: true,
  });
  if (prefix !== undefined) inboxes.set(nats, prefix);
  return nats;
};

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
