import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Role } from '../../contract/names.ts';
import { natsUserOf } from '../../contract/permissions.ts';
import { podEnv, type PodEnv } from '../../contract/pod-env.ts';
import { startAdminServer } from './admin-server.ts';
import { ControlService } from './control-service.ts';
import { FabricError } from './fabric-error.ts';
import { Health } from './health.ts';
import { HeartbeatSender } from './heartbeat-sender.ts';
import { createLogger } from './logger.ts';
import { connectNats, followConnection, type NatsAccess } from './nats-connection.ts';
import type { Pod } from './pod.ts';
import { Shutdown } from './shutdown.ts';

/**
 * Parses a pod's environment.
 * @throws FabricError `bad-environment` that names each wrong variable
 */
export const parsePodEnv = (environment: NodeJS.ProcessEnv): PodEnv => {
  const parsed = podEnv.safeParse(environment);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new FabricError('bad-environment', `the environment of this pod is wrong: ${wrong}`, { cause: parsed.error });
};

const natsAccess = (role: Role, env: PodEnv): NatsAccess => ({
  url: env.QUARTET_NATS_URL,
  ...(env.QUARTET_NATS_PASSWORD && { user: { name: natsUserOf[role], password: env.QUARTET_NATS_PASSWORD } }),
  ...(env.QUARTET_NATS_CA && { ca: env.QUARTET_NATS_CA }),
});

/** Starts what every role needs; the role itself adds its service. Waits for NATS as long as it takes. */
export const startPod = async (role: Role, env: PodEnv): Promise<Pod> => {
  const log = createLogger(env.QUARTET_LOG_LEVEL, { role, pod: env.QUARTET_POD });
  const shutdown = new Shutdown(log);
  const health = new Health();
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  health.set('nats', false, 'waiting for the first connection to NATS');

  const admin = await startAdminServer({ health, metrics }, env.QUARTET_POD_IP, env.QUARTET_ADMIN_PORT);
  shutdown.add('admin server', async () => void admin.close());

  const nats = await connectNats(natsAccess(role, env), env.QUARTET_POD);
  shutdown.add('NATS connection', () => nats.drain());
  void followConnection(nats, health, log);

  const identity = {
    namespace: env.QUARTET_NAMESPACE,
    pod: env.QUARTET_POD,
    role,
    node: env.QUARTET_NODE,
    resource: env.QUARTET_RESOURCE ?? null,
    incarnation: randomUUID(),
  };
  const sender = new HeartbeatSender(nats, identity);
  shutdown.add('heartbeats', async () => sender.stop());
  const control = new ControlService(nats, env.QUARTET_NAMESPACE, env.QUARTET_POD, log);
  log.info({ nats: nats.getServer() }, 'connected to NATS');

  return {
    role,
    env,
    incarnation: identity.incarnation,
    log,
    nats,
    jetstream: jetstream(nats),
    metrics,
    health,
    heartbeat: (fill) => sender.add(fill),
    beatNow: () => sender.beat(),
    onControl: (handler) => control.handle(handler),
    onShutdown: (name, stop) => shutdown.add(name, stop),
    stop: () => shutdown.run(),
  };
};
