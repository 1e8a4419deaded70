import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { declareCaches } from './caches.ts';
import { ChatReports } from './chat-room/reports.ts';
import { Commands } from './commands.ts';
import { declareControllers } from './controllers.ts';
import { measureBackups } from './db-backup/measures.ts';
import { DirectoryPublisher } from './directory.ts';
import { Fleet } from './fleet.ts';
import { SharedForeign } from './foreign.ts';
import { Heartbeats } from './heartbeats.ts';
import { livePage } from './live-page.ts';
import { Logs } from './logs.ts';
import { createMeasures } from './measures.ts';
import { NatsLink } from './nats-link.ts';
import { NodeStates } from './nodes.ts';
import type { Operation } from './operation.ts';
import { Rebalancer } from './rebalance/rebalancer.ts';
import type { KubeClient } from './runtime/client.ts';
import { connectKube } from './runtime/connection.ts';
import type { LeaseOptions, Manager } from './runtime/manager.ts';
import { createManager } from './runtime/operator-manager.ts';
import { Senses } from './senses.ts';
import type { Settings } from './settings.ts';

export interface OperatorOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** Absent: found by KUBECONFIG or in the cluster. */
  readonly client?: KubeClient;
  /** Absent: the lease `quartet-operator` in the operator's namespace. Null: leads at once. */
  readonly lease?: LeaseOptions | null;
}

/** A running operator. */
export interface Operator {
  readonly manager: Manager;
  readonly operation: Operation;
  /** Orderly: workers end, then the lease is released. */
  stop(): Promise<void>;
}

/** A gateway that was silent for this long is gone, and so are its figures. */
const reporterSilenceMs = 5_000;

const leaseOf = ({ settings, lease }: OperatorOptions): LeaseOptions | null =>
  lease === undefined ? { namespace: settings.namespace, name: 'quartet-operator' } : lease;

const followAbsence = (link: NatsLink): (() => number) => {
  let awaySince: number | null = performance.now();
  link.onState(({ state }) => {
    awaySince = state === 'away' ? (awaySince ?? performance.now()) : null;
  });
  return () => (awaySince === null ? 0 : performance.now() - awaySince);
};

/** Starts the operator. Resolves at once: API server and NATS are waited for in the background. */
export const startOperator = async (options: OperatorOptions): Promise<Operator> => {
  const { settings, log } = options;
  const metrics = new Registry();
  const client = options.client ?? connectKube({ metrics });
  const lease = leaseOf(options);
  const link = new NatsLink(settings.nats, log);
  const heartbeats = new Heartbeats();
  const logs = new Logs(() => link.manager(), settings.nats.replicas);
  const manager = createManager({
    client,
    log,
    page: livePage({ heartbeats, logs }),
    identity: `${settings.pod}-${randomBytes(3).toString('hex')}`,
    http: settings.admin,
    metrics,
    ...(lease !== null && { lease }),
  });
  const fleet = new Fleet();
  const nodes = new NodeStates();
  const rebalancer = new Rebalancer({ settings: settings.rebalance, fleet, nodes, heartbeats, log });
  const operation: Operation = {
    settings,
    log,
    caches: declareCaches(manager),
    link,
    heartbeats,
    logs,
    directory: new DirectoryPublisher(() => link.connection, settings.nats.replicas, log),
    commands: new Commands((subject, payload, deadlineMs) => link.request(subject, payload, deadlineMs), log),
    nodes,
    fleet,
    rebalancer,
    measures: createMeasures(metrics, rebalancer),
    foreign: new SharedForeign(),
    natsAwayMs: followAbsence(link),
  };
  measureBackups(metrics, operation.caches.dbBackups);
  const reports = new ChatReports((namespace, pod) => {
    const heard = heartbeats.get(namespace, pod);
    return heard !== undefined && performance.now() - heard.receivedAt < reporterSilenceMs;
  });
  const senses = new Senses(operation, declareControllers(manager, operation, reports), reports);
  manager.leaderTask('directory', async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    operation.directory.forget();
  });
  senses.start();
  await manager.start();
  void link.start().catch((error: unknown) => log.error({ err: error }, 'the connection to NATS cannot be started'));
  return {
    manager,
    operation,
    async stop() {
      operation.directory.stop();
      senses.stop();
      await manager.stop();
      await link.stop();
    },
  };
};
