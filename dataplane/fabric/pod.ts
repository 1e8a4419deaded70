import type { JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Role } from '../../contract/names.ts';
import type { PodEnv } from '../../contract/pod-env.ts';
import type { ControlHandler } from './control-service.ts';
import type { Health } from './health.ts';
import type { HeartbeatPart } from './heartbeat-sender.ts';

/** What every role gets: its identity, its connection and its duties towards the operator. */
export interface Pod {
  readonly role: Role;
  readonly env: PodEnv;
  /** Differs for every start of the process. */
  readonly incarnation: string;
  readonly log: Logger;
  /** Reconnects for ever; requests reject after their own timeout while NATS is away. */
  readonly nats: NatsConnection;
  readonly jetstream: JetStreamClient;
  /** Served at /metrics. */
  readonly metrics: Registry;
  /** Named readiness checks, served at /readyz. */
  readonly health: Health;
  /** Adds a part to each heartbeat. */
  heartbeat(fill: () => HeartbeatPart): void;
  /** Sends a heartbeat now, for a change that others wait for. */
  beatNow(): void;
  /** Sets what carries out the operator's commands. */
  onControl(handler: ControlHandler): void;
  /** Registers a shutdown step; later ones run earlier, each has 5 s. */
  onShutdown(name: string, stop: () => Promise<void>): void;
  /** Runs the shutdown steps and closes the connection. */
  stop(): Promise<void>;
}
